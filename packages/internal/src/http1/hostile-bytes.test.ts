import fc from "fast-check";
import { expect, test } from "vitest";
import { request } from "../testing/raw-client.ts";
import { serve } from "../testing/serve.ts";

/** Pieces that requests are made of, right and wrong, so that some combinations get far. */
const pieces = fc.oneof(
  fc.constantFrom(
    request("GET /"),
    request("POST /", {}, "hello"),
    request("POST /", { "transfer-encoding": "chunked" }),
    request("POST /", { "content-length": "70000" }),
    request("GET /", { expect: "100-continue" }),
    "GET / HTTP/1.0\r\n\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "\r\n",
    "\n",
    "x: y\r\n",
  ),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

test("a server lives on under any bytes, sends nothing but right answers, and lets every client go", async () => {
  await using server = await serve(async (req, resp) => {
    if (req.method === "POST") for await (const piece of req.content) await resp.echo(piece);
    resp.end();
    return true;
  });
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (sent) => {
      await using client = await server.connect();
      for (const piece of sent) {
        client.send(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      client.end();
      // An answer to what the client broke off may break off too.
      while ((await client.hasMore()) && (await readOn(() => client.response())));
      expect(await server.ask("GET /")).toMatchObject({ status: 200 });
    }),
    { numRuns: 200, seed: 3 },
  );
  expect(server.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([]);
});

/** False when the connection was broken off; what the server sent wrongly is thrown. */
async function readOn(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (error instanceof Error && /connection broke|ended the connection|ECONNRESET/.test(error.message)) return false;
    throw error;
  }
}
