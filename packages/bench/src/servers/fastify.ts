// The peer from the frameworks: Fastify with a 13-byte answer and with 200 routes, in the form of its guide (functions
// that return promises) and, under /callback, in its older and faster one.

import fastify from "fastify";
import { routes } from "./routes.ts";

const app = fastify({ logger: false });
app.get("/", async () => "hello, world!");
app.get("/callback", (_req, reply) => {
  reply.type("text/plain; charset=utf-8").send("hello, world!");
});
for (const route of routes) {
  app.get<{ Params: { id: string } }>(route, async (req) => ({ id: req.params.id, name: "someone", active: true }));
  app.get<{ Params: { id: string } }>(`/callback${route}`, (req, reply) => {
    reply.send({ id: req.params.id, name: "someone", active: true });
  });
}
await app.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" });
