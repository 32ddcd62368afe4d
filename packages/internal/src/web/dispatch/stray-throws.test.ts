// What callbacks throw that nobody stands above, because a client's leaving, a timer or the end of an exchange calls
// them.

import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { request } from "../../testing/raw-client.ts";
import { serve, type ServeOptions } from "../../testing/serve.ts";
import { Uncaught } from "../../testing/uncaught.ts";
import { webSocketFrame, serveSocklet, TEXT, nextFrame } from "../../testing/websocket.ts";
import type { ContentFilter } from "../content/filter.ts";
import type { HandletPart } from "../kinds.ts";
import type { WebSocketEvents } from "../websocket/websocket.ts";

function fail(): never {
  throw new Error("on purpose");
}

/** An async function, as it fits where the types want one that returns nothing. */
const failLater = (): undefined => Promise.reject(new Error("on purpose")) as unknown as undefined;
const pass: ContentFilter["push"] = (piece, next) => next(piece);

/** Answers `/ok` only; what it does with all else, and with what revisers, is the case's. */
function site(handle: HandletPart["handle"], revisers: ServeOptions["revisers"] = []): ServeOptions {
  return {
    handlets: [
      (req, resp) => {
        if (req.path !== "/ok") return handle(req, resp);
        resp.send("ok");
        return true;
      },
    ],
    revisers,
  };
}

const streams: HandletPart["handle"] = (_req, resp) => {
  void resp.echo("a piece");
  return true;
};

/** Never answers. */
const listening = (listen: (signal: AbortSignal) => void): ServeOptions =>
  site((req) => (listen(req.signal), new Promise(() => undefined)));

/** A filter for `/left` only. */
const filtering = (filter: ContentFilter): ServeOptions["revisers"] => [
  { rank: 5, reviseResponse: (req) => (req.path === "/left" ? filter : undefined) },
];

test.each<[string, string, ServeOptions]>([
  ["the listener of a client's leaving", "handlet1", site((req) => (req.onAbort(fail), new Promise(() => undefined)))],
  [
    "the listener of a client's leaving, later,",
    "handlet1",
    site((req) => (req.onAbort(failLater), new Promise(() => undefined))),
  ],
  ["a listener of the signal", "handlet1", listening((signal) => signal.addEventListener("abort", fail))],
  [
    "an asynchronous listener of the signal",
    "handlet1",
    listening((signal) => signal.addEventListener("abort", failLater)),
  ],
  ["onabort of the signal", "handlet1", listening((signal) => void (signal.onabort = fail))],
  ["the close of a reviser's filter", "reviser1", site(streams, filtering({ push: pass, close: fail }))],
  ["the close of a reviser's filter, later,", "reviser1", site(streams, filtering({ push: pass, close: failLater }))],
])("what %s throws is in the log with path and request, and the server goes on", async (_name, part, options) => {
  using uncaught = new Uncaught();
  await using server = await serve(options);
  const other = await server.connect();
  const client = await server.connect();
  client.send(request("GET /left"));
  // It has been read when an answer to a later request is there.
  expect(await other.send(request("GET /ok")).response()).toMatchObject({ text: "ok" });
  client.reset();
  await expect.poll(() => server.log.join("")).toContain("on purpose");
  expect(server.log.join("")).toMatch(
    new RegExp(`error webapp\\.app/rule/${part} #\\S+ failed at GET /left.*on purpose`, "s"),
  );
  expect(await other.send(request("GET /ok")).response()).toMatchObject({ text: "ok" });
  expect(uncaught.errors).toEqual([]);
});

test.each<[string, string, ServeOptions]>([
  ["a request that failed, with a page that cannot be read", "GET /", { webapp: { errorPages: { 500: "/missing" } } }],
])("a reviser that throws at the head of the answer to %s is in the log", async (_name, line, options) => {
  using uncaught = new Uncaught();
  await using server = await serve({ ...options, ...site(fail, [{ rank: 5, reviseResponse: fail }]) });
  await using client = await server.connect();
  expect(await client.send(request(line)).response()).toMatchObject({ status: 500 });
  expect(server.log.join("")).toMatch(/error webapp\.app\/rule\/reviser1 #\S+ failed at GET \//);
  expect(uncaught.errors).toEqual([]);
});

test("a filter of a request's content that throws when it is closed unread leaves the answer as it is", async () => {
  using uncaught = new Uncaught();
  await using server = await serve(
    site(streams, [
      { rank: 5, reviseRequest: (req) => (req.method === "POST" ? { push: pass, close: fail } : undefined) },
    ]),
  );
  expect(await server.ask(request("POST /ok", {}, "unread"))).toMatchObject({ text: "ok" });
  await expect.poll(() => server.log.join("")).toMatch(/error webapp\.app\/rule\/reviser1 #\S+ failed at POST \/ok/);
  expect(await server.ask("GET /ok")).toMatchObject({ text: "ok" });
  expect(uncaught.errors).toEqual([]);
});

test("a tunnel whose owner throws when the server drains is closed, and keeps no other from being drained", async () => {
  using uncaught = new Uncaught();
  await using server = await serve(site((_req, resp) => (resp.tunnel("x", fail).resume(), true)));
  const clients = [await server.connect(), await server.connect()];
  for (const client of clients) {
    client.send(request("GET /", { connection: "upgrade", upgrade: "x" }));
    expect(await client.head()).toMatchObject({ status: 101 });
  }
  await server.stage.quit(10_000);
  expect(server.log.join("").match(/failed at GET \/.*/g)).toHaveLength(2);
  expect(uncaught.errors).toEqual([]);
});

test.each<[string, (tunnel: Duplex) => unknown]>([
  ["a listener of data", (tunnel) => tunnel.resume().on("data", fail)],
  ["an asynchronous listener of data", (tunnel) => tunnel.resume().on("data", failLater)],
  ["a listener of end", (tunnel) => tunnel.resume().on("end", fail)],
])("a tunnel is closed, and no other, by the throw of %s", async (_name, listen) => {
  using uncaught = new Uncaught();
  await using server = await serve(site((_req, resp) => (listen(resp.tunnel("x", () => undefined)), true)));
  const client = await server.connect();
  client.send(request("GET /", { connection: "upgrade", upgrade: "x" }));
  expect(await client.head()).toMatchObject({ status: 101 });
  client.send("x").end();
  await client.ending();
  await expect
    .poll(() => server.log.join(""))
    .toMatch(/error webapp\.app\/rule\/handlet1 #\S+ failed at GET \/.*on purpose/s);
  expect(await server.ask("GET /ok")).toMatchObject({ text: "ok" });
  expect(uncaught.errors).toEqual([]);
});

describe("a WebSocket", () => {
  /** It ends when it is told to, else sends back what comes. */
  const serveEvents = (events: Partial<WebSocketEvents>) =>
    serveSocklet((upgrade) => {
      upgrade.accept({ message: (message, ws) => ws.send(message), ...events });
      return true;
    });

  test("whose handler returns what is no promise is served on", async () => {
    using uncaught = new Uncaught();
    const seen: unknown[] = [];
    await using server = await serveEvents({
      message(message, ws) {
        void ws.send(message);
        // The number of elements, which the types take for nothing.
        return seen.push(message) as unknown as undefined;
      },
    });
    const client = await server.open();
    for (const text of ["1", "2"])
      expect(await nextFrame(client.send(webSocketFrame(TEXT, text)))).toEqual([TEXT, text]);
    expect(uncaught.errors).toEqual([]);
  });

  test.each([
    ["throws", fail],
    ["rejects", failLater],
  ])("whose close handler %s is in the log, and others are served", async (_name, close) => {
    using uncaught = new Uncaught();
    await using server = await serveEvents({ close });
    (await server.open()).reset();
    await expect.poll(() => server.log.join("")).toMatch(/error webapp\.app\/rule\/socklet #\S+ failed at a WebSocket/);
    const client = await server.open();
    expect(await nextFrame(client.send(webSocketFrame(TEXT, "x")))).toEqual([TEXT, "x"]);
    expect(uncaught.errors).toEqual([]);
  });
});
