// A Fastify app with WebSockets, by its plugin, which listens for "upgrade" on `app.server`.

import websocket from "@fastify/websocket";
import Fastify from "fastify";

const app = Fastify();
await app.register(websocket);
app.get("/echo", { websocket: true }, (socket, request) => {
  socket.on("message", (message: Buffer) => socket.send(`${request.ip} said ${message.toString()}`));
});
app.get("/page", () => "a page");

export default app;
