import fc from "fast-check";
import { expect, test } from "vitest";
import { request } from "../testing/raw-client.ts";
import { serve } from "../testing/serve.ts";
import { preface } from "./frames.ts";
import { frame } from "../testing/frame-client.ts";

const streamId = fc.constantFrom(0, 1, 3, 5, 2, 0x7fffffff);

/** Frames, right and wrong, so that some combinations get far. */
const anyFrame = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 17 }), fc.nat(255), streamId, fc.uint8Array({ maxLength: 40 }))
    .map(([type, flags, id, payload]) => frame(type, flags, id, payload)),
  // GET and POST in indices of the static table, whole and not.
  fc
    .tuple(fc.constantFrom("8286 8441 0161", "8386 8441 0161"), fc.constantFrom(4, 5), streamId)
    .map(([block, flags, id]) => frame(1, flags, id, Buffer.from(block.replaceAll(" ", ""), "hex"))),
  fc
    .tuple(fc.constantFrom(0, 1), streamId, fc.uint8Array({ maxLength: 100 }))
    .map(([flags, id, data]) => frame(0, flags, id, data)),
  fc.uint8Array({ maxLength: 30 }),
);

test("a server lives on under any frames, and lets every client go", async () => {
  await using server = await serve(async (req, resp) => {
    if (req.method === "POST") for await (const piece of req.content) await resp.echo(piece);
    resp.end();
    return true;
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 15 }), async (frames) => {
      await using client = await server.connect();
      client.send(Buffer.concat([preface, frame(4, 0, 0)]));
      for (const bytes of frames) {
        client.send(bytes);
        await new Promise((resolve) => setImmediate(resolve));
      }
      client.end();
      await client.toTheEnd().catch(() => undefined);
    }),
    { numRuns: 300, seed: 3 },
  );
  expect(await server.ask(request("GET /"))).toMatchObject({ status: 200 });
  expect(server.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([]);
});
