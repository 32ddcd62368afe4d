// Services: the RPC services that RPC servers serve.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";

/** An RPC service. */
export const serviceKind = kind({
  name: "service",
  rank: 4,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
});
