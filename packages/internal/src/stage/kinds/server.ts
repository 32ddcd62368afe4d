// Servers: listen for a protocol, HTTP or another one.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../definer.ts";

/** Listens for a protocol, HTTP or another one. */
export interface ServerPart extends Part {
  /** The addresses that it listens on, after start; the real port for port 0. */
  readonly listensOn?: readonly string[];
}

/** Listens for a protocol. */
export const serverKind = kind({
  name: "server",
  rank: 6,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<ServerPart>(),
  owner: shape<undefined>(),
});

/** Declares your own server: it listens, and serves its connections. */
export const defineServer = definer(serverKind);
