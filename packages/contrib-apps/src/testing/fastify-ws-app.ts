// A Fastify app with WebSockets, by its plugin, which listens for "upgrade" on `app.server`.

import websocket from "@fastify/websocket";
import Fastify from "fastify";

/** What is used of a WebSocket of `ws`, whose types are not installed. */
interface Socket {
  on(event: "message", listener: (message: Buffer) => void): void;
  send(message: string): void;
}

const app = Fastify();
await app.register(websocket);
app.get("/echo", { websocket: true }, (ws: Socket, request) => {
  ws.on("message", (message) => ws.send(`${request.ip} said ${message.toString()}`));
});
app.get("/page", () => "a page");

export default app;
