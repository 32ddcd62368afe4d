// A Fastify app that uses what Fastify apps use.

import { Readable } from "node:stream";
import Fastify from "fastify";

const app = Fastify();

app.addHook("onSend", async (_request, reply) => {
  reply.header("x-hook", "1");
});
app.get("/", async () => "hello from Fastify");
app.get("/users/:id", async (request) => ({
  params: request.params,
  query: request.query,
  ip: request.ip,
  host: request.host,
}));
app.post(
  "/json",
  { schema: { body: { type: "object", required: ["name"], properties: { name: { type: "string" } } } } },
  async (request, reply) => reply.code(201).send({ got: request.body }),
);
app.get("/stream", async (_request, reply) => reply.type("text/plain").send(Readable.from(["a", "b", "c"])));
app.get("/hints", async (_request, reply) => {
  reply.writeEarlyHints({ link: "</a.css>; rel=preload" });
  return "hinted";
});
app.get("/trailers", async (_request, reply) => {
  reply.trailer("x-sum", async () => "7");
  return "content";
});
app.get("/throws", async () => {
  throw new Error("a route that throws");
});

export default app;
