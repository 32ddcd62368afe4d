// Apps of other frameworks as handlets. The default export is the pack.

import { pack } from "@hemi/internal";
import { fetchHandlet } from "./fetch-handlet.ts";
import { nodeHandlet } from "./node-handlet.ts";

export { fetchHandlet, type FetchApp, type FetchEnv } from "./fetch-handlet.ts";
export { expressSessions, type ExpressSession, type ExpressStore, type SessionMiddleware } from "./express-sessions.ts";
export type { AcceptWebSocket } from "./fetch-upgrade.ts";
export {
  upgradeWebSocket,
  type HonoContext,
  type HonoMessageEvent,
  type HonoWebSocket,
  type HonoWebSocketEvents,
  type UpgradeWebSocketOptions,
} from "./hono-websocket.ts";
export type { NodeApp, NodeUpgradeListener } from "./node-app.ts";
export { nodeHandlet };

export default pack("@hemi/contrib-apps", [fetchHandlet, nodeHandlet]);
