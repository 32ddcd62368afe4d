// The kind of RPC services: what their components look like to those who serve them.

import { kind, shape } from "../component/kind.ts";
import type { Part } from "../component/part.ts";
import { definer } from "../stage/definer.ts";
import type { ServedBundlet } from "./served-bundlet.ts";

/** An RPC service: groups of procedures that belong together. */
export interface ServicePart extends Part {
  /** Its groups of procedures, made by `implement`. The same ones as long as it lives, unless it has `onChange`. */
  readonly bundlets: readonly ServedBundlet[];
  /** Calls back, without arguments, when it has other bundlets. Returns the function that ends this. */
  onChange?(changed: () => void): () => void;
}

/** An RPC service. */
export const serviceKind = kind({
  name: "service",
  rank: 4,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<ServicePart>(),
  owner: shape<undefined>(),
});

/** Declares an RPC service: `create` returns its bundlets, each made by `implement`. */
export const defineService = definer(serviceKind);
