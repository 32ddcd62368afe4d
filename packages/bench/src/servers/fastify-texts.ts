// The peer for JSON over HTTP/1.1: Fastify with schemas for both directions.

import fastify from "fastify";

const text = {
  type: "object",
  required: ["body"],
  properties: { body: { type: "string" } },
  additionalProperties: false,
} as const;

const app = fastify({ logger: false });
app.post<{ Body: { body: string } }>(
  "/hemi.bench.v1.Texts/echo",
  { schema: { body: text, response: { 200: text } } },
  async (req) => ({ body: req.body.body }),
);
await app.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" });
