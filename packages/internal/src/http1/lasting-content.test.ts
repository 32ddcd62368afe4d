// Bytes that are sent again and again, with heads that are the same or not.

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { representContent, sendRepresentation } from "../web/response/representation.ts";
import { request } from "../testing/raw-client.ts";
import { describeTransports } from "../testing/serve.ts";

const targets = ["/", "/", "/", "/?id=1", "/?id=2", "/", "/", "/?id=2", "/?id=2", "/?id=2", "/"];

describeTransports(({ serve }) => {
  test("each answer has its own head and the whole content, on whichever connection", async () => {
    const content = randomBytes(20_000);
    const representation = representContent(content, "application/octet-stream");
    await using server = await serve((req, resp) => {
      const id = req.query("id");
      if (id !== undefined) resp.setHeader("x-id", id);
      return sendRepresentation(req, resp, representation);
    });
    const clients = [await server.connect(), await server.connect()];
    for (const target of targets) {
      for (const client of clients) {
        const answer = await client.send(request(`GET ${target}`)).response();
        expect(answer.headers["x-id"]).toBe(/\d/.exec(target)?.[0]);
        expect(answer.content.equals(content)).toBe(true);
      }
    }
    await using client = await server.connect();
    const part = await client.send(request("GET /", { range: "bytes=5-9" })).response();
    expect(part.content.equals(content.subarray(5, 10))).toBe(true);
    expect((await client.send(request("HEAD /")).response("HEAD")).headers["content-length"]).toBe("20000");
    const pipelined = await client.send(request("GET /").repeat(20)).responses(20);
    for (const answer of pipelined) expect(answer.content.equals(content)).toBe(true);
  });
});
