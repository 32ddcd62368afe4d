import zlib from "node:zlib";
import { threadPoolSize, zlibTurns } from "@hemi/common";
import { expect, test, vi } from "vitest";
import {
  BINARY,
  CLOSE,
  closing,
  webSocketFrame,
  nextFrame,
  PING,
  PONG,
  serveSocklet,
  TEXT,
  type SockletServer,
} from "../../testing/websocket.ts";
import type { WebSocketEvents } from "./websocket.ts";

/** Serves WebSockets with these events; without: sends back what comes. */
const serve = (events: Partial<WebSocketEvents> = {}, settings = ""): Promise<SockletServer> =>
  serveSocklet(
    (upgrade, settings) => {
      upgrade.accept({ settings, message: (message, ws) => ws.send(message), ...events });
      return true;
    },
    { settings },
  );

/** A browser's own kind of client, once it is open. */
async function browse(url: string): Promise<WebSocket> {
  const ws = new WebSocket(url);
  ws.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    ws.addEventListener("open", resolve);
    ws.addEventListener("error", () => reject(new Error("it was refused")));
  });
  return ws;
}

const nextMessage = (ws: WebSocket): Promise<unknown> =>
  new Promise((resolve) => ws.addEventListener("message", ({ data }) => resolve(data), { once: true }));

test.each(["", ".compression = true"])("text and bytes go both ways (%s)", async (settings) => {
  await using server = await serve({}, settings);
  const ws = await browse(server.url);
  ws.send("grüße");
  expect(await nextMessage(ws)).toBe("grüße");
  const bytes = new Uint8Array(200_000).fill(7);
  ws.send(bytes);
  expect(await nextMessage(ws)).toEqual(bytes.buffer);
  ws.close(3000, "enough");
  const { code, wasClean } = await new Promise<CloseEvent>((resolve) => ws.addEventListener("close", resolve));
  expect([code, wasClean]).toEqual([3000, true]);
});

test("both sides learn how it was closed", async () => {
  const closed = Promise.withResolvers<readonly unknown[]>();
  await using server = await serve({ close: (code, reason) => closed.resolve([code, reason]) });
  const client = await server.open();
  client.send(webSocketFrame(CLOSE, closing(4000, "bye")));
  expect(await nextFrame(client)).toEqual([CLOSE, closing(4000).toString("latin1")]);
  client.end();
  expect(await client.ending()).toBe("end");
  expect(await closed.promise).toEqual([4000, "bye"]);
});

test("a client that leaves without a word has closed with 1006", async () => {
  const closed = Promise.withResolvers<number>();
  await using server = await serve({ close: (code) => closed.resolve(code) });
  (await server.open()).reset();
  expect(await closed.promise).toBe(1006);
});

test("frames may come byte by byte, and a message in pieces", async () => {
  await using server = await serve();
  const client = await server.open();
  const pieces = [
    webSocketFrame(TEXT, "a", 0),
    webSocketFrame(PING, "p"),
    webSocketFrame(0, "b", 0),
    webSocketFrame(0, "c"),
  ];
  await client.sendByteByByte(Buffer.concat(pieces).toString("latin1"));
  expect(await nextFrame(client)).toEqual([PONG, "p"]);
  expect(await nextFrame(client)).toEqual([TEXT, "abc"]);
});

test("messages wait for the handler of the one before, and so does the client", async () => {
  const order: string[] = [];
  const gates: (() => void)[] = [];
  const third = Promise.withResolvers<void>();
  await using server = await serve({
    message(message) {
      order.push(String(message));
      if (message === "3") third.resolve();
      return new Promise((resolve) => gates.push(resolve));
    },
  });
  const client = await server.open();
  client.send(Buffer.concat([webSocketFrame(TEXT, "1"), webSocketFrame(TEXT, "2")]));
  await expect.poll(() => order).toEqual(["1"]);
  client.send(webSocketFrame(TEXT, "3"));
  gates[0]?.();
  await expect.poll(() => order).toEqual(["1", "2"]);
  gates[1]?.();
  await third.promise;
  expect(order).toEqual(["1", "2", "3"]);
});

test.each<[string, Buffer, number, string?]>([
  ["a frame without a mask", Buffer.from([0x81, 1, 0x61]), 1002],
  ["a reserved bit", webSocketFrame(TEXT, "", 0xc0), 1002],
  ["an unknown opcode", webSocketFrame(3), 1002],
  ["a continuation of nothing", webSocketFrame(0), 1002],
  ["a control frame in pieces", webSocketFrame(PING, "", 0), 1002],
  ["a long control frame", webSocketFrame(PING, "x".repeat(126)), 1002],
  ["a code that may not be sent", webSocketFrame(CLOSE, closing(1006)), 1002],
  ["broken UTF-8", webSocketFrame(TEXT, Buffer.from([0xff])), 1007],
  ["a message that is too large", webSocketFrame(BINARY, "12345"), 1009, ".maxMessageSize = 4"],
  [
    "pieces that are too large together",
    Buffer.concat([webSocketFrame(TEXT, "123", 0), webSocketFrame(0, "45")]),
    1009,
    ".maxMessageSize = 4",
  ],
  [
    "a message of too many pieces",
    Buffer.concat([webSocketFrame(TEXT, "", 0), webSocketFrame(0, "1", 0), webSocketFrame(0, "1", 0)]),
    1008,
    ".maxFragments = 2",
  ],
])("%s sends the client away, and the log says why", async (_name, bytes, code, settings) => {
  const codes: number[] = [];
  await using server = await serve({ close: (code) => codes.push(code) }, settings);
  const client = await server.open();
  const [opcode, content] = await nextFrame(client.send(bytes));
  expect([opcode, Buffer.from(content, "latin1").readUInt16BE()]).toEqual([CLOSE, code]);
  client.end();
  await client.toTheEnd();
  await expect.poll(() => codes).toEqual([1006]);
  expect(server.log.join("")).toMatch(new RegExp(`info webapp.app/rule/socklet .*sent away with ${code}`));
});

test("a message that unfolds to more than it may is not unfolded", async () => {
  await using server = await serve({}, ".compression = true .maxMessageSize = 100K");
  const client = await server.open({ "sec-websocket-extensions": "permessage-deflate" });
  const { deflateRawSync } = await import("node:zlib");
  const bomb = deflateRawSync(Buffer.alloc(10_000_000)).subarray(0, -1);
  const [, content] = await nextFrame(client.send(webSocketFrame(BINARY, bomb, 0xc0)));
  expect(Buffer.from(content, "latin1").readUInt16BE()).toBe(1009);
});

test("clients that reset while their compressed messages are inflated do not end the process", async () => {
  let closed = 0;
  await using server = await serve({ close: () => closed++ }, ".compression = true");
  const { deflateRawSync } = await import("node:zlib");
  const message = webSocketFrame(BINARY, deflateRawSync(Buffer.alloc(1_000_000)).subarray(0, -1), 0xc0);
  const count = 20;
  for (let i = 0; i < count; i++) {
    const client = await server.open({ "sec-websocket-extensions": "permessage-deflate" });
    await new Promise((resolve) => client.socket.write(Buffer.concat([message, message]), resolve));
    client.reset();
  }
  await expect.poll(() => closed).toBe(count);
  // `ws` inflates for a few connections at a time: none of those that left holds a place.
  const ws = await browse(server.url);
  ws.send("x".repeat(5000));
  expect(await nextMessage(ws)).toBe("x".repeat(5000));
  ws.close();
});

test("messages are compressed on half of the threads, so that files are read meanwhile", async () => {
  const { createDeflateRaw } = zlib;
  let running = 0;
  let most = 0;
  using _spy = vi.spyOn(zlib, "createDeflateRaw").mockImplementation((options) => {
    const deflater = createDeflateRaw(options);
    const flush = deflater.flush.bind(deflater);
    deflater.flush = (kind?: number | (() => void), done?: () => void) => {
      most = Math.max(most, ++running);
      flush(typeof kind === "number" ? kind : undefined, () => {
        running--;
        done?.();
      });
    };
    return deflater;
  });
  const count = 8;
  const present = new Set<{ send(text: string): unknown }>();
  const text = "0123456789".repeat(10_000);
  const message: WebSocketEvents["message"] = (_message, ws) => {
    present.add(ws);
    if (present.size === count) for (const each of present) void each.send(text);
  };
  await using server = await serve({ message }, ".compression = true");
  const clients = await Promise.all(Array.from({ length: count }, () => browse(server.url)));
  const got = clients.map(nextMessage);
  for (const ws of clients) ws.send("here");
  expect(await Promise.all(got)).toEqual(clients.map(() => text));
  expect(most).toBe(threadPoolSize >> 1);
  for (const ws of clients) ws.close();
});

test("compressed messages take their turns with all other work of zlib", async () => {
  const messages: string[] = [];
  await using server = await serve(
    { message: (message) => void messages.push(String(message)) },
    ".compression = true",
  );
  const client = await server.open({ "sec-websocket-extensions": "permessage-deflate" });
  const { deflateRawSync } = await import("node:zlib");
  const { promise: others, resolve: end } = Promise.withResolvers<void>();
  const busy = Array.from({ length: Math.max(1, threadPoolSize >> 1) }, () => zlibTurns.run(() => others));
  client.send(webSocketFrame(TEXT, deflateRawSync("compressed").subarray(0, -1), 0xc0));
  const witness = await browse(server.url);
  witness.send("plain");
  await expect.poll(() => messages).toContain("plain");
  expect(messages).toEqual(["plain"]);
  end();
  await Promise.all(busy);
  await expect.poll(() => messages).toEqual(["plain", "compressed"]);
  witness.close();
  client.reset();
});

test("a client that gives no sign of life is broken off", async () => {
  const closed = Promise.withResolvers<number>();
  const settings = ".pingInterval = 10ms .pongTimeout = 10ms";
  await using server = await serve({ close: (code) => closed.resolve(code) }, settings);
  const client = await server.open();
  expect(await nextFrame(client)).toEqual([PING, ""]);
  expect(await closed.promise).toBe(1006);
  expect(server.log.join("")).toContain("gave no sign of life for 20 ms");
});

test("a client that takes nothing of what a handler waits to send is broken off", async () => {
  const closed = Promise.withResolvers<number>();
  await using server = await serve(
    {
      async message(_message, ws) {
        for (;;) await ws.send(Buffer.alloc(1_000_000));
      },
      close: (code) => closed.resolve(code),
    },
    ".pingInterval = 10ms .pongTimeout = 10ms",
  );
  // It never reads.
  (await server.open()).send(webSocketFrame(TEXT)).socket.pause();
  expect(await closed.promise).toBe(1006);
  expect(server.log.join("")).toContain("gave no sign of life for 20 ms");
});

test("a client that answers pings may be silent for long", async () => {
  await using server = await serve({}, ".pingInterval = 5ms .pongTimeout = 1s");
  const client = await server.open();
  for (let i = 0; i < 2; i++) {
    expect(await nextFrame(client)).toEqual([PING, ""]);
    client.send(webSocketFrame(PONG));
  }
});

test("a client that does not say goodbye in turn is broken off", async () => {
  await using server = await serve({ message: (_message, ws) => ws.close(4001, "go") }, ".closeTimeout = 10ms");
  const client = await server.open();
  expect(await nextFrame(client.send(webSocketFrame(TEXT)))).toEqual([CLOSE, closing(4001, "go").toString("latin1")]);
  await client.toTheEnd().catch(() => undefined);
});

test("what a handler throws closes with 1011 and is in the log", async () => {
  for (const message of [
    () => {
      throw new Error("on purpose");
    },
    () => Promise.reject(new Error("on purpose")),
  ]) {
    await using server = await serve({ message });
    const client = await server.open();
    expect(await nextFrame(client.send(webSocketFrame(TEXT)))).toEqual([CLOSE, closing(1011).toString("latin1")]);
    expect(server.log.join("")).toMatch(
      /error webapp\.app\/rule\/socklet \S+ failed at a WebSocket of \/.*on purpose/s,
    );
  }
});

test("a client that reads nothing makes its sender wait, and one that does not wait is stopped", async () => {
  const waited = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<number>();
  await using server = await serve(
    {
      message(message, ws) {
        let sent = 0;
        const piece = Buffer.alloc(1_000_000);
        if (message === "wait") {
          while (ws.send(piece) === undefined) sent++;
          waited.resolve(sent);
        } else while (ws.isOpen && sent++ < 1000) void ws.send(piece);
      },
      close: (code) => closed.resolve(code),
    },
    ".maxUnsentSize = 20M",
  );
  const client = await server.open();
  client.send(webSocketFrame(TEXT, "wait"));
  expect(await waited.promise).toBeLessThan(100);
  client.send(webSocketFrame(TEXT, "flood"));
  expect(await closed.promise).toBe(1006);
  expect(server.log.join("")).toContain("await send()");
});

test("a server that drains says goodbye with 1001", async () => {
  await using server = await serve();
  const ws = await browse(server.url);
  const closed = new Promise<CloseEvent>((resolve) => ws.addEventListener("close", resolve));
  await server.stage.quit(5000);
  expect((await closed).code).toBe(1001);
});

test("after its end nothing is sent, and whoever waits is told", async () => {
  const rejected = Promise.withResolvers<unknown>();
  await using server = await serve({
    close: (_code, _reason, ws) => void Promise.resolve(ws.send("late")).catch(rejected.resolve),
  });
  (await server.open()).reset();
  expect(await rejected.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
});
