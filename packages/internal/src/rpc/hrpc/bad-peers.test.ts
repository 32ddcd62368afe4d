// Clients of hrpc that break the rules or do nothing: they are told, bounded and sent away, and others are served on.

import {
  bundlet,
  frame,
  frameFlags,
  frameTypes,
  goAwayCodes,
  makeClient,
  preface,
  serverStreaming,
} from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { z } from "zod";
import { numbers, numbersService, type NumbersObserved } from "../../testing/rpc/numbers-service.ts";
import { beginning, rawCall, rawMessage, RawHrpc } from "../../testing/rpc/raw-hrpc.ts";
import { serveRpcServer } from "../../testing/rpc/rpc-server-site.ts";
import { implement } from "../served-bundlet.ts";
import { hrpcTransport } from "./hrpc-transport.ts";

async function begin(props = "", observed: NumbersObserved = { events: [], failures: 0 }) {
  const site = await serveRpcServer({ bundlets: [numbersService(observed)], props });
  const raw = await RawHrpc.connect(site.port);
  return {
    site,
    raw,
    observed,
    /** Another client is still served. */
    async servesOthers() {
      await using transport = hrpcTransport(`hrpc://${site.address}`);
      expect(await makeClient(numbers, transport).double({ n: 1 })).toEqual({ n: 2 });
    },
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

const double = "/test.Numbers/double";

test("a call that comes byte by byte is answered", async () => {
  await using peer = await begin();
  await peer.raw.sendByBytes(Buffer.concat([beginning, rawCall(1, double), rawMessage(1, '{"n":2}', frameFlags.last)]));
  await expect.poll(() => peer.raw.of(frameTypes.end)).toHaveLength(1);
  expect(peer.raw.of(frameTypes.message)[0]?.payload.toString()).toBe('{"n":4}');
});

test("a client that sends no settings is closed after headTimeout", async () => {
  await using peer = await begin(".headTimeout = 50ms");
  peer.raw.send(preface);
  await expect.poll(() => peer.raw.isClosed).toBe(true);
  await peer.servesOthers();
});

test("a client without calls does not stay for ever by PING", async () => {
  await using peer = await begin(".idleTimeout = 200ms");
  peer.raw.send(beginning);
  // Each answer is followed by another one, for as long as it takes.
  await expect
    .poll(() => {
      peer.raw.send(Buffer.from(frame(frameTypes.ping, 0, 0, new Uint8Array(8))));
      return peer.raw.of(frameTypes.goAway).length;
    })
    .toBe(1);
});

test("a client without calls is told goodbye after idleTimeout", async () => {
  await using peer = await begin(".idleTimeout = 50ms");
  peer.raw.send(beginning);
  await expect.poll(() => peer.raw.isClosed).toBe(true);
  expect(peer.raw.of(frameTypes.goAway)[0]?.payload[4]).toBe(goAwayCodes.none);
});

test("a changed idleTimeout holds for a client without calls that is there already", async () => {
  await using peer = await begin(".idleTimeout = 1h");
  peer.raw.send(beginning);
  await expect.poll(() => peer.raw.of(frameTypes.settings)).toHaveLength(1);
  await peer.site.stage.reload({ text: peer.site.textWith(".idleTimeout = 1ms") });
  await expect.poll(() => peer.raw.isClosed).toBe(true);
});

test("an old connection is told goodbye, its calls go on, and the client makes another one", async () => {
  await using peer = await begin(".hrpcMaxConnAge = 40ms");
  peer.raw.send(beginning, rawCall(1, double));
  await expect.poll(() => peer.raw.of(frameTypes.goAway)).toHaveLength(1);
  peer.raw.send(rawMessage(1, '{"n":2}', frameFlags.last));
  await expect.poll(() => peer.raw.of(frameTypes.message)).toHaveLength(1);
  await expect.poll(() => peer.raw.isClosed).toBe(true);
  await using transport = hrpcTransport(`hrpc://${peer.site.address}`);
  const client = makeClient(numbers, transport);
  // Long enough for several connections.
  for (const end = Date.now() + 200; Date.now() < end;) expect(await client.double({ n: 1 })).toEqual({ n: 2 });
});

test("calls without a message end at the time limit, and their places are free again", async () => {
  await using peer = await begin(".maxTime = 60ms .hrpcMaxStreams = 3");
  peer.raw.send(beginning, ...[1, 3, 5, 7].map((id) => rawCall(id, double)));
  await expect.poll(() => peer.raw.of(frameTypes.end)).toHaveLength(4);
  const ends = peer.raw.of(frameTypes.end);
  // The fourth was refused at once; 14 is unavailable, 4 is deadline_exceeded.
  expect(ends[0]).toMatchObject({ id: 7, flags: frameFlags.notBegun });
  expect(ends.map(({ payload }) => payload[0])).toEqual([14, 4, 4, 4]);
  peer.raw.send(rawCall(9, double), rawMessage(9, "{}", frameFlags.last));
  await expect.poll(() => peer.raw.of(frameTypes.message)).toHaveLength(1);
});

test("a client that gives no sign of life while a call runs is sent away, and the procedure is told", async () => {
  await using peer = await begin(".hrpcPingInterval = 40ms .hrpcPingTimeout = 40ms");
  peer.raw.send(beginning, rawCall(1, double), rawMessage(1, '{"n":99}', frameFlags.last));
  await expect.poll(() => peer.raw.isClosed).toBe(true);
  expect(peer.raw.of(frameTypes.ping)).toHaveLength(1);
  expect(peer.raw.of(frameTypes.goAway)[0]?.payload[4]).toBe(goAwayCodes.timeout);
  expect(peer.observed.events).toEqual(["hangs", "aborted"]);
});

test("a client that reads nothing makes an endless stream wait, and ends it when it leaves", async () => {
  let sent = 0;
  const number = z.object({ n: z.number() });
  const endless = bundlet("test.Endless", { count: serverStreaming({ input: number, output: number }) });
  const served = implement(endless, {
    async *count() {
      try {
        for (;;) yield { n: sent++ };
      } finally {
        sent = -1;
      }
    },
  });
  const site = await serveRpcServer({ bundlets: [served] });
  const raw = await RawHrpc.connect(site.port);
  raw.pause();
  raw.send(beginning, rawCall(1, "/test.Endless/count"), rawMessage(1, '{"n":1}', frameFlags.last));
  await expect.poll(() => sent).toBeGreaterThan(500);
  // As many messages of about 10 bytes as the credit of 65,536 has room for, each with 64 bytes more.
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBeLessThan(65_536 / 64);
  await raw[Symbol.asyncDispose]();
  await expect.poll(() => sent).toBe(-1);
  await site[Symbol.asyncDispose]();
});

test("a client that reads nothing is sent away after writeTimeout, whatever it sends meanwhile", async () => {
  let isOver = false;
  const text = z.object({ text: z.string() });
  const endless = bundlet("test.Endless", { talk: serverStreaming({ input: text, output: text }) });
  const served = implement(endless, {
    async *talk({ text }) {
      try {
        for (;;) yield { text: text.repeat(10_000) };
      } finally {
        isOver = true;
      }
    },
  });
  await using site = await serveRpcServer({ bundlets: [served], props: ".writeTimeout = 200ms" });
  await using raw = await RawHrpc.connect(site.port);
  raw.pause();
  const credit = frame(frameTypes.credit, 0, 1, Uint8Array.of(0x40, 0, 0, 0));
  raw.send(beginning, rawCall(1, "/test.Endless/talk"), rawMessage(1, '{"text":"x"}', frameFlags.last), credit);
  const more = frame(frameTypes.credit, 0, 1, Uint8Array.of(0, 0, 0, 64));
  const sending = setInterval(() => raw.send(more), 20);
  await expect.poll(() => isOver).toBe(true);
  clearInterval(sending);
}, 15_000);

test.each([
  ["pings", (i: number) => [frame(frameTypes.ping, 0, 0, Buffer.alloc(8, i))]],
  [
    "calls that are canceled",
    (i: number) => [rawCall(2 * i + 1, double), frame(frameTypes.cancel, 0, 2 * i + 1, Buffer.alloc(0))],
  ],
])("a flood of %s ends its connection, with a line in the log", async (_what, pieces) => {
  await using peer = await begin(".hrpcMaxIdleFrames = 50");
  peer.raw.send(beginning, ...Array.from({ length: 200 }, (_, i) => Buffer.concat(pieces(i))));
  await expect.poll(() => peer.raw.isClosed).toBe(true);
  expect(peer.raw.of(frameTypes.goAway)[0]?.payload[4]).toBe(goAwayCodes.flood);
  expect(peer.site.log.join("\n")).toContain("too many frames bring nothing");
  await peer.servesOthers();
});

test("bytes that are no frames end the connection, and none of our text goes out beyond the reason", async () => {
  await using peer = await begin();
  peer.raw.send(beginning, Buffer.alloc(64, 0xff));
  await expect.poll(() => peer.raw.isClosed).toBe(true);
  expect(peer.raw.of(frameTypes.goAway)[0]?.payload[4]).toBe(goAwayCodes.frameSize);
  await peer.servesOthers();
});

test("the first bytes of the preface alone are no request of HTTP, and wait for the rest", async () => {
  await using peer = await begin();
  peer.raw.send(preface.subarray(0, 8));
  await new Promise((resolve) => setImmediate(resolve));
  peer.raw.send(
    preface.subarray(8),
    beginning.subarray(preface.length),
    rawCall(1, double),
    rawMessage(1, "{}", frameFlags.last),
  );
  await expect.poll(() => peer.raw.of(frameTypes.end)).toHaveLength(1);
});
