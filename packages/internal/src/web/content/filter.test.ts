import { describe, expect, test, vi } from "vitest";
import type { ContentFilter, PushPiece } from "./filter.ts";
import type { HandletPart, ReviserPart } from "../kinds.ts";
import { request } from "../../testing/raw-client.ts";
import { serve } from "../../testing/serve.ts";

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

describe("a content that a handlet sends at once", () => {
  const louder: ContentFilter = {
    push: (piece, next) => next(Buffer.from(piece).fill("!")),
    whole: (content) => Buffer.concat([content, Buffer.from("!")]),
  };
  const pushed: ContentFilter = {
    push: (piece, next) => next(Buffer.concat([Buffer.from("pushed: "), piece])),
  };
  const answer: HandletPart["handle"] = (_req, resp) => (resp.send("hello"), true);

  test("goes through filters that take it so, and is sent with its size; HEAD tells the same", async () => {
    await using server = await serve({ handlets: [answer], revisers: [onResponse(louder), onResponse(louder)] });
    expect(await server.ask("GET /")).toMatchObject({ framing: "sized", text: "hello!!" });
    expect((await server.ask("HEAD /")).headers["content-length"]).toBe("7");
  });

  test("is pushed from the first filter on that does not", async () => {
    const revisers = [louder, pushed, louder].map((filter, i) => ({ ...onResponse(filter), rank: i }));
    await using server = await serve({ handlets: [answer], revisers });
    // The last one, nearest to the wire, gets pieces.
    expect(await server.ask("GET /")).toMatchObject({ framing: "chunked", text: "!".repeat("pushed: hello!".length) });
    expect((await server.ask("HEAD /")).headers).not.toHaveProperty("content-length");
  });

  test("gives a 500 when a filter cannot take it, and a line in the log", async () => {
    const whole = (): never => {
      throw new Error("on purpose");
    };
    const filter = { ...pushed, whole, close: vi.fn() };
    await using server = await serve({ handlets: [answer], revisers: [onResponse(filter)] });
    expect((await server.ask("GET /")).status).toBe(500);
    expect(server.log.join()).toMatch(/webapp\.app\/rule\/reviser1.*on purpose/s);
    expect(filter.close).toHaveBeenCalledOnce();
  });

  test("does not count where a filter has something instead, and a file is not even read then", async () => {
    const instead = { ...pushed, instead: Buffer.from("kept") };
    const sendNothing: HandletPart["handle"] = async (_req, resp) => {
      await resp.sendRegion({ fd: -1, offset: 0, size: 100 });
      return true;
    };
    const revisers = [louder, instead, pushed].map((filter, i) => ({ ...onResponse(filter), rank: i }));
    for (const handle of [answer, sendNothing]) {
      await using server = await serve({ handlets: [handle], revisers });
      expect(await server.ask("GET /")).toMatchObject({ framing: "sized", text: "kept!" });
      expect((await server.ask("HEAD /")).headers["content-length"]).toBe("5");
    }
  });
});

test("a filter is flushed when the source pauses, once, and not after the end", async () => {
  const flushed = Promise.withResolvers<void>();
  const filter = {
    flushAfter: 1,
    push: (piece: Uint8Array, next: PushPiece) => next(piece),
    flush: vi.fn(() => flushed.resolve()),
  };
  await using server = await serve({
    handlets: [
      async (_req, resp) => {
        await resp.echo("hello");
        await flushed.promise;
        await resp.echo(", world");
        resp.end();
        return true;
      },
    ],
    revisers: [onResponse(filter)],
  });
  expect((await server.ask("GET /")).text).toBe("hello, world");
  expect(filter.flush).toHaveBeenCalledOnce();
});

test("a source that sends pieces faster than flushAfter is not held back to its end", async () => {
  const filter = {
    flushAfter: 50,
    push: (piece: Uint8Array, next: PushPiece) => next(piece),
    flush: vi.fn<() => void>(),
  };
  const flushes: number[] = [];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await using server = await serve({
      handlets: [
        async (_req, resp) => {
          for (let i = 0; i < 6; i++) {
            await resp.echo(String(i));
            vi.advanceTimersByTime(40);
            await turn();
            flushes.push(filter.flush.mock.calls.length);
          }
          resp.end();
          return true;
        },
      ],
      revisers: [onResponse(filter)],
    });
    expect((await server.ask("GET /")).text).toBe("012345");
  } finally {
    vi.useRealTimers();
  }
  // 50 ms after the pieces at 0, 80 and 160 ms.
  expect(flushes).toEqual([0, 1, 1, 2, 2, 3]);
});

test.each<[step: string, fail: () => void | Promise<void>]>([
  [
    "throws",
    () => {
      throw new Error("on purpose");
    },
  ],
  ["rejects", () => Promise.reject(new Error("on purpose"))],
])("a filter that %s when its flush is due breaks that answer off, and the server goes on", async (_step, flush) => {
  const aborted = Promise.withResolvers<void>();
  const filter = { flushAfter: 1, push: (piece: Uint8Array, next: PushPiece) => next(piece), flush };
  await using server = await serve({
    handlets: [
      async (req, resp) => {
        if (req.path === "/whole") return (resp.send("whole"), true);
        req.onAbort(() => aborted.resolve());
        await resp.echo("begun");
        await aborted.promise;
        return true;
      },
    ],
    revisers: [onResponse(filter)],
  });
  const broken = server.ask("GET /");
  await aborted.promise;
  await broken.catch(() => {});
  expect(server.log.join("")).toContain("on purpose");
  expect((await server.ask("GET /whole")).text).toBe("whole");
});

test("revisers know the size of a content, and what it is known by, as long as none before them changes it", async () => {
  const seen: unknown[] = [];
  const look: ReviserPart = {
    rank: 5,
    reviseResponse: (_req, resp) => void seen.push([resp.contentSize, resp.knownContent?.identity]),
  };
  const known = { identity: 7, size: 5, type: "text/plain", coding: undefined };
  const answer: HandletPart["handle"] = (_req, resp) => {
    resp.knownContent = known;
    resp.send("hello");
    return true;
  };
  for (const revisers of [[look], [look, { ...onResponse({ push: (piece, next) => next(piece) }), rank: 9 }]]) {
    await using server = await serve({ handlets: [answer], revisers });
    await server.ask("GET /");
  }
  expect(seen).toEqual([
    [5, 7],
    [undefined, undefined],
  ]);
});
