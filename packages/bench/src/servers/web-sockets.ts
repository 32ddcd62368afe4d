// The classes of `ws` for the peers that need them. The workspace declares of its types only what Hemi itself uses.

import { createRequire } from "node:module";

interface WebSockets {
  readonly WebSocketServer: new (options: object) => never;
  readonly WebSocket: typeof WebSocket;
}

/** `ws` of npm. */
export const webSockets = createRequire(import.meta.url)("ws") as WebSockets;
