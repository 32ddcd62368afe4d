// Backends: groups of equal servers that work is passed on to.

import type { WebBackend } from "../http/web-backend.ts";
import type { CgiBackend } from "../cgi/programs.ts";
import { definer } from "../component/definition.ts";
import { kind, shape } from "../component/kind.ts";
import type { Part } from "../component/part.ts";

/** A backend says by what it has what can be asked of it. */
export interface BackendPart extends Part {
  /** Of web servers, whatever their HTTP version. */
  readonly web?: WebBackend;
  /** Of programs behind FastCGI or SCGI. */
  readonly cgi?: CgiBackend;
}

/** A group of equal servers that work is passed on to. */
export const backendKind = kind({
  name: "backend",
  rank: 2,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<BackendPart>(),
  owner: shape<undefined>(),
});

export const defineBackend = definer(backendKind);
