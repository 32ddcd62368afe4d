// An app with WebSockets, by the package `ws`, as it is served by http.Server, too.

import { createRequire } from "node:module";
import type { NodeApp, NodeUpgradeListener } from "../index.ts";

/** What we use of `ws`, whose published types are not installed. */
interface Sockets {
  readonly WebSocketServer: new (options: { noServer: true }) => {
    handleUpgrade(
      ...upgrade: [
        ...Parameters<NodeUpgradeListener>,
        (ws: { on(e: "message", l: (m: Buffer) => void): void; send(m: string): void }) => void,
      ]
    ): void;
  };
}

const { WebSocketServer } = createRequire(import.meta.resolve("@hemi/internal"))("ws") as Sockets;
const sockets = new WebSocketServer({ noServer: true });

const app: NodeApp = (_req, res) => res.end("a page");

export const upgrade: NodeUpgradeListener = (req, socket, head) => {
  sockets.handleUpgrade(req, socket, head, (ws) =>
    ws.on("message", (message) => ws.send(`you said ${message.toString()}`)),
  );
};

export default app;
