// Content of requests that is given back once it is passed on: the memory that it came in may hold other bytes, too,
// which others keep.

import { expect, test } from "vitest";
import { readBlocks } from "../net/read-blocks.ts";
import { serve, type TestServer } from "../testing/serve.ts";
import type { ReviserPart } from "../web/kinds.ts";
import type { Request } from "../web/request/request.ts";

/** All memory that nobody uses is used for something else. */
function useMemory(): void {
  const blocks = Array.from({ length: readBlocks.spare + 1 }, () => readBlocks.lend());
  for (const block of blocks) block.fill("other");
  for (const block of blocks) readBlocks.giveBack(block);
}

/** As a proxy does that has sent each piece to a node before it reads the next one. */
async function passOn({ content }: Request): Promise<void> {
  for await (const piece of content) content.lent(piece)?.();
  useMemory();
}

interface PassingServer extends TestServer {
  /** Settles when a request is there. */
  readonly asked: Promise<void>;
  /** The content that is kept. */
  kept(): readonly string[];
}

/** What is sent to `/kept` is kept, and what is sent elsewhere passed on. Answers with the field `x-own`. */
async function passingServer(revisers: readonly ReviserPart[] = []): Promise<PassingServer> {
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  const pieces: Uint8Array[] = [];
  const server = await serve({
    revisers,
    handlets: [
      async (req, resp) => {
        isAsked();
        if (req.path === "/kept") pieces.push(await req.content.bytes());
        else await passOn(req);
        resp.send(req.header("x-own") ?? "no field");
        return true;
      },
    ],
  });
  const kept = (): readonly string[] => pieces.map((piece) => Buffer.from(piece).toString());
  return Object.assign(server, { asked, kept });
}

function put(path: string, size: number): string {
  return `PUT ${path} HTTP/1.1\r\nhost: a.example\r\nx-own: mine\r\ncontent-length: ${size}\r\n\r\n`;
}

test("a request keeps its fields when its content is passed on", async () => {
  await using server = await passingServer();
  expect((await server.ask(put("/passed", 55_000) + "b".repeat(55_000))).text).toBe("mine");
});

test("kept content stays as it was sent when a request behind it is passed on", async () => {
  await using server = await passingServer();
  const client = await server.connect();
  client.send(put("/kept", 1000));
  await server.asked;
  client.send("a".repeat(1000) + put("/passed", 55_000) + "b".repeat(55_000));
  expect((await client.responses(2)).map(({ text }) => text)).toEqual(["mine", "mine"]);
  expect(server.kept()).toEqual(["a".repeat(1000)]);
});

test("what a reviser keeps of the content of a request stays as it was sent", async () => {
  const kept: Uint8Array[] = [];
  const keeper: ReviserPart = {
    rank: 8,
    reviseRequest: () => ({
      push(piece, next) {
        kept.push(piece);
        return next(piece);
      },
    }),
  };
  await using server = await passingServer([keeper]);
  const client = await server.connect();
  client.send(put("/passed", 55_000));
  await server.asked;
  client.send("b".repeat(55_000));
  expect((await client.response()).text).toBe("mine");
  expect(Buffer.concat(kept).equals(Buffer.alloc(55_000, "b"))).toBe(true);
});

test("small parts of lent memory that wait for a client keep none of it", async () => {
  const lent = new Set<Buffer>();
  let kept = -1;
  await using server = await serve((_req, resp) => {
    for (let i = 0; i < 1000; i++) {
      const block = readBlocks.lend().fill(String(i % 10), 0, 9);
      lent.add(block);
      void resp.echo(block.subarray(0, 9), () => {
        lent.delete(block);
        block.fill("other");
        readBlocks.giveBack(block);
      });
    }
    kept = lent.size;
    resp.end();
    return true;
  });
  const { text } = await server.ask("GET /");
  expect(text).toBe(Array.from({ length: 1000 }, (_, i) => String(i % 10).repeat(9)).join(""));
  expect(kept).toBe(0);
});
