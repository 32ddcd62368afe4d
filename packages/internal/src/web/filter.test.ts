import { describe, expect, test } from "vitest";
import type { ContentFilter } from "./filter.ts";
import type { HandletPart, ReviserPart } from "./kinds.ts";
import { request } from "./testing/raw-client.ts";
import { serve } from "./testing/serve.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A filter that passes all on and says when it is closed. */
class Watched implements ContentFilter {
  closes = 0;
  /** A piece is kept until this settles. */
  gate: Promise<void> = Promise.resolve();
  readonly pushed = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<void>();

  async push(piece: Uint8Array, next: (piece: Uint8Array) => void | Promise<void>): Promise<void> {
    this.pushed.resolve();
    await this.gate;
    await next(piece);
  }

  close(): void {
    this.closes++;
    this.closed.resolve();
  }
}

const onRequest = (filter: ContentFilter): ReviserPart => ({ rank: 5, reviseRequest: () => filter });
const onResponse = (filter: ContentFilter): ReviserPart => ({ rank: 5, reviseResponse: () => filter });

describe("a filter of a request is closed once", () => {
  test.each<[string, HandletPart["handle"]]>([
    ["nobody reads its content", (_req, resp) => (resp.send("unread"), true)],
    [
      "its handlet fails",
      () => {
        throw new Error("on purpose");
      },
    ],
    ["it is read to its end", async (req, resp) => (resp.send(await req.content.bytes()), true)],
    [
      "reading is begun and left alone",
      async (req, resp) => {
        await req.content[Symbol.asyncIterator]().next();
        resp.send("enough");
        return true;
      },
    ],
  ])("when %s", async (_name, handle) => {
    const filter = new Watched();
    await using server = await serve({ handlets: [handle], revisers: [onRequest(filter)] });
    await server.ask(request("POST /", {}, "hello"));
    await filter.closed.promise;
    await turn();
    expect(filter.closes).toBe(1);
  });

  test("when the client leaves in the middle, and not while it has a piece", async () => {
    const filter = new Watched();
    const gate = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<unknown>();
    filter.gate = gate.promise;
    await using server = await serve({
      handlets: [
        async (req) => {
          req.onAbort(() => left.resolve());
          await req.content.bytes().catch(failed.resolve);
          return true;
        },
      ],
      revisers: [onRequest(filter)],
    });
    await using client = await server.connect();
    client.send(request("POST /", { "content-length": "10" }) + "hello");
    await filter.pushed.promise;
    client.reset();
    await left.promise;
    await turn();
    expect(filter.closes).toBe(0);
    gate.resolve();
    await filter.closed.promise;
    expect(await failed.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
    expect(filter.closes).toBe(1);
  });
});

describe("a filter of a response is closed once", () => {
  test("when the client leaves while nothing is sent", async () => {
    const filter = new Watched();
    await using server = await serve({
      handlets: [async (_req, resp) => (await resp.echo("hello"), true)],
      revisers: [onResponse(filter)],
    });
    await using client = await server.connect();
    client.send(request("GET /"));
    await client.through("hello");
    client.reset();
    await filter.closed.promise;
    expect(filter.closes).toBe(1);
  });

  test("when the answer took too long, and gets no more pieces then", async () => {
    const filter = new Watched();
    const late = Promise.withResolvers<unknown>();
    await using server = await serve({
      handlets: [
        async (_req, resp) => {
          await resp.echo("hello");
          await filter.closed.promise;
          await Promise.resolve(resp.echo("late")).catch(late.resolve);
          return true;
        },
      ],
      revisers: [onResponse(filter)],
      settings: { handleTimeout: 20 },
    });
    await using client = await server.connect();
    client.send(request("GET /"));
    await expect(client.response()).rejects.toThrow(/broke|ended/);
    expect(await late.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
    expect(filter.closes).toBe(1);
    await turn();
    expect(server.log.filter((line) => line.includes(" error "))).toEqual([]);
  });
});
