// Two sessions that talk to each other in memory, and peers that break the rules.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { bundlet } from "../bundlet.ts";
import { makeClient } from "../client.ts";
import { Metadata } from "../metadata.ts";
import { unary } from "../procedure.ts";
import { RpcError } from "../rpc-error.ts";
import type { Transport } from "../transport.ts";
import { callOnceOver, callOver } from "./call-over.ts";
import { frame, frameFlags, frameTypes, goAwayCodes, numberFrame, preface, type ProtocolFault } from "./frames.ts";
import { noCompression } from "./message-coding.ts";
import { callFrame, goAwayFrame, initialSettings, settingsFrame } from "./payloads.ts";
import type { CalledStream } from "./called-stream.ts";
import { Callee, type CalleeOptions } from "./callee.ts";
import type { CallingStream } from "./calling-stream.ts";
import type { Flushable } from "./frame-output.ts";
import { Session } from "./session.ts";
import type { SessionCarrier } from "./session-carrier.ts";
import type { SessionOptions } from "./session-options.ts";

/** Keeps what a session writes. */
class TestCarrier implements SessionCarrier {
  isBlocked = false;
  isClosed = false;
  written: Uint8Array[] = [];
  #unblocked = Promise.withResolvers<void>();

  flushSoon(output: Flushable): void {
    output.flush();
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.written.push(new Uint8Array(bytes));
    written();
  }

  drained(): Promise<void> {
    return this.#unblocked.promise;
  }

  unblock(): void {
    this.isBlocked = false;
    this.#unblocked.resolve();
    this.#unblocked = Promise.withResolvers<void>();
  }

  close(): void {
    this.isClosed = true;
  }

  take(): Buffer {
    return Buffer.concat(this.written.splice(0));
  }

  /** The types of the frames that were written. */
  get types(): number[] {
    const types: number[] = [];
    let bytes = Buffer.concat(this.written);
    if (bytes.subarray(0, preface.length).equals(preface)) bytes = bytes.subarray(preface.length);
    for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]!);
    return types;
  }
}

interface Side {
  readonly carrier: TestCarrier;
  readonly session: Session;
  readonly faults: ProtocolFault[];
  readonly errors: unknown[];
}

type SideOptions = Partial<SessionOptions & CalleeOptions>;

function side(
  role: "client" | "server",
  { serve, maxMessageSize = () => 1_000_000, flood, ...options }: SideOptions = {},
): Side {
  const carrier = new TestCarrier();
  const faults: ProtocolFault[] = [];
  const errors: unknown[] = [];
  const session = new Session({
    role,
    carrier,
    settings: { maxStreams: 100, credit: initialSettings.credit, maxFrameSize: initialSettings.maxFrameSize },
    compression: noCompression,
    callee: serve && new Callee({ serve, maxMessageSize, ...(flood && { flood }) }),
    faulty: (fault) => faults.push(fault),
    failed: (error) => errors.push(error),
    ...options,
  });
  return { carrier, session, faults, errors };
}

/** Carries bytes between both until neither has more to say. */
async function exchange(a: Side, b: Side, pieceSize = Infinity): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet++) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const bytes = from.carrier.take();
      if (bytes.length > 0) quiet = 0;
      const size = Math.min(pieceSize, Math.max(1, bytes.length));
      for (let at = 0; at < bytes.length; at += size) to.session.receive(bytes.subarray(at, at + size));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const head = { path: "/a.B/c", timeout: Infinity, codec: "json", metadata: new Metadata() } as const;
const none = new Metadata();

function begin(session: Session): CallingStream {
  return session.call(head, 1_000_000, { headersCame: () => undefined });
}

/** All messages of a stream. */
async function all(stream: Pick<CallingStream, "receive">): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  for (;;) {
    const message = await stream.receive();
    if (message === undefined) return messages;
    messages.push(Buffer.from(message));
  }
}

/** Sends back what comes. */
async function echo(stream: CalledStream): Promise<void> {
  for (;;) {
    const message = await stream.receive();
    if (message === undefined) break;
    await stream.send(message);
  }
  stream.finish({ error: undefined, trailers: none });
}

async function sendAll(stream: CallingStream, messages: readonly Uint8Array[]): Promise<void> {
  for (const message of messages) await stream.send(message);
  stream.close();
}

describe("two sessions", () => {
  test("messages of any size arrive as they were sent, however the bytes are cut, in both directions", async () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 70_000 })), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 100_000 }), fc.boolean(), async (sizes, pieceSize, isBack) => {
        const serve = (stream: CalledStream): void => void echo(stream);
        const client = side("client", { serve });
        const server = side("server", { serve });
        const stream = begin((isBack ? server : client).session);
        const messages = sizes.map((size, i) => Buffer.alloc(size, i + 1));
        const sending = sendAll(stream, messages);
        const receiving = all(stream);
        await exchange(client, server, pieceSize);
        await sending;
        expect(await receiving).toEqual(messages);
        expect(stream.end?.error).toBeUndefined();
        expect([client.session.streamCount, server.session.streamCount]).toEqual([0, 0]);
        expect([...client.faults, ...server.faults]).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test("a receiver that reads nothing keeps no more than the credit that it gave", async () => {
    const streams: CalledStream[] = [];
    const client = side("client");
    const server = side("server", { serve: (stream) => streams.push(stream) });
    const stream = begin(client.session);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 1000; sent++) await stream.send(Buffer.alloc(1000));
    })();
    await exchange(client, server);
    expect(sent).toBe(Math.floor(initialSettings.credit / 1064));
    const reading = all(streams[0]!);
    await exchange(client, server);
    await sending;
    stream.close();
    await exchange(client, server);
    expect(await reading).toHaveLength(1000);
  });

  test("a sender waits while its peer does not read", async () => {
    const client = side("client");
    const server = side("server", { serve: (stream) => void echo(stream) });
    const stream = begin(client.session);
    client.carrier.isBlocked = true;
    const sending = stream.send(Buffer.from("a"), frameFlags.last);
    await exchange(client, server);
    expect(sending).toBeInstanceOf(Promise);
    expect(server.session.streamCount).toBe(1);
    client.carrier.unblock();
    const receiving = all(stream);
    await vi.waitFor(async () => {
      await exchange(client, server);
      expect(stream.isOver).toBe(true);
    }, 10_000);
    expect(await receiving).toEqual([Buffer.from("a")]);
  });

  test("errors come with code, details and trailers", async () => {
    const error = new RpcError("not_found", "nothing", { details: [{ type: "a.B", value: new Uint8Array([1]) }] });
    const client = side("client");
    const server = side("server", {
      serve: (stream) => stream.finish({ error, trailers: new Metadata({ "x-t": "1" }) }),
    });
    const stream = begin(client.session);
    await exchange(client, server);
    expect(await all(stream)).toEqual([]);
    expect(stream.end?.error).toMatchObject({ code: "not_found", message: "nothing", details: error.details });
    expect(stream.end?.trailers.get("x-t")).toBe("1");
  });

  test("a call that is given up is canceled at the other end", async () => {
    const canceled = vi.fn();
    const client = side("client");
    const server = side("server", { serve: (stream) => (stream.onCancel = canceled) });
    const stream = begin(client.session);
    await exchange(client, server);
    stream.cancel(new RpcError("canceled"));
    await exchange(client, server);
    expect(canceled).toHaveBeenCalledOnce();
    expect(server.session.streamCount).toBe(0);
    expect(() => stream.receive()).toThrow(RpcError);
  });

  test("a call beyond maxStreams is refused as one that has never begun", async () => {
    const client = side("client");
    const settings = { maxStreams: 1, credit: initialSettings.credit, maxFrameSize: initialSettings.maxFrameSize };
    const server = side("server", { settings, serve: () => undefined });
    // The settings have not come yet.
    const streams = [begin(client.session), begin(client.session)];
    await exchange(client, server);
    expect(streams[1]!.end?.error).toMatchObject({ name: "RpcError", code: "unavailable" });
    expect(streams[1]!.end?.error?.constructor.name).toBe("NotBegunError");
    expect(streams[0]!.isOver).toBe(false);
    expect(client.session.room).toBe(0);
    expect(() => begin(client.session)).toThrow(/too many calls/);
  });

  test("calls that run go on when a side drains, later ones have never begun, and the last one closes", async () => {
    const streams: CalledStream[] = [];
    const client = side("client");
    const server = side("server", { serve: (stream) => streams.push(stream) });
    const first = begin(client.session);
    await exchange(client, server);
    server.session.drain();
    // On its way when GOAWAY came.
    const second = begin(client.session);
    await exchange(client, server);
    expect(() => second.receive()).toThrow(expect.objectContaining({ code: "unavailable" }) as Error);
    expect(server.carrier.isClosed).toBe(false);
    streams[0]!.finish({ error: undefined, trailers: none });
    await exchange(client, server);
    expect(await all(first)).toEqual([]);
    expect([client.carrier.isClosed, server.carrier.isClosed]).toEqual([true, true]);
  });

  test("calls end with unavailable when the connection breaks", async () => {
    const client = side("client");
    const stream = begin(client.session);
    const receiving = all(stream);
    client.session.broken("cut");
    await expect(receiving).rejects.toMatchObject({ code: "unavailable", message: "cut" });
    expect(() => begin(client.session)).toThrow(/takes no more calls/);
  });
});

describe("a peer that breaks the rules is sent GOAWAY, and its calls end", () => {
  const settings = settingsFrame({ ...initialSettings });
  const call = callFrame(1, head);
  const empty = new Uint8Array();
  const cases: readonly [string, readonly Uint8Array[], keyof typeof goAwayCodes][] = [
    ["another preface", [Buffer.from("GET / HTTP/1.1\r\n")], "protocol"],
    ["no settings", [preface, call], "protocol"],
    ["settings twice", [preface, settings, settings], "protocol"],
    ["settings of half a pair", [preface, frame(frameTypes.settings, 0, 0, Buffer.alloc(4))], "protocol"],
    ["too little credit in settings", [preface, settingsFrame({ ...initialSettings, credit: 1 })], "protocol"],
    [
      "settings of larger frames than a length can tell",
      [preface, settingsFrame({ ...initialSettings, maxFrameSize: 2 ** 24 })],
      "protocol",
    ],
    ["a frame beyond the maximum", [preface, Buffer.from([0xff, 0xff, 0xff, 3, 0, 0, 0, 0, 1])], "frameSize"],
    ["a call with an even number", [preface, settings, callFrame(2, head)], "protocol"],
    ["a call with the number of an earlier one", [preface, settings, call, call], "protocol"],
    ["a call that is cut off", [preface, settings, frame(frameTypes.call, 0, 1, Buffer.from([5, 0x2f]))], "protocol"],
    [
      "a text longer than its payload",
      [preface, settings, frame(frameTypes.call, 0, 1, Buffer.alloc(9, 0xff))],
      "protocol",
    ],
    [
      "a path that is not UTF-8",
      [preface, settings, frame(frameTypes.call, 0, 1, Buffer.from([1, 0xff, 0, 0, 0]))],
      "protocol",
    ],
    [
      "bytes behind a call",
      [preface, settings, frame(frameTypes.call, 0, 1, Buffer.from([1, 0x2f, 0, 0, 0, 9]))],
      "protocol",
    ],
    [
      "metadata with a line end",
      [preface, settings, frame(frameTypes.call, 0, 1, Buffer.from([1, 0x2f, 0, 0, 1, 1, 0x61, 1, 10]))],
      "protocol",
    ],
    [
      "more metadata than 256",
      [
        preface,
        settings,
        frame(
          frameTypes.call,
          0,
          1,
          Buffer.concat([Buffer.from([1, 0x2f, 0, 0, 0x81, 2]), Buffer.alloc(257 * 4, "\x01a\x01b")]),
        ),
      ],
      "protocol",
    ],
    [
      "an unknown codec",
      [preface, settings, frame(frameTypes.call, 0, 1, Buffer.from([1, 0x2f, 0, 7, 0]))],
      "protocol",
    ],
    ["a message for no call", [preface, settings, frame(frameTypes.message, 0, 1, empty)], "protocol"],
    ["an end for a call that was not made", [preface, settings, frame(frameTypes.end, 0, 2, empty)], "protocol"],
    ["headers from a caller", [preface, settings, call, frame(frameTypes.headers, 0, 1, Buffer.from([0]))], "protocol"],
    [
      "a message behind the last one",
      [
        preface,
        settings,
        call,
        frame(frameTypes.message, frameFlags.last, 1, empty),
        frame(frameTypes.message, 0, 1, empty),
      ],
      "protocol",
    ],
    [
      "a close within a message",
      [
        preface,
        settings,
        call,
        frame(frameTypes.message, frameFlags.more, 1, empty),
        frame(frameTypes.close, 0, 1, empty),
      ],
      "protocol",
    ],
    [
      "a close twice",
      [preface, settings, call, frame(frameTypes.close, 0, 1, empty), frame(frameTypes.close, 0, 1, empty)],
      "protocol",
    ],
    [
      "pieces of different codings",
      [
        preface,
        settings,
        call,
        frame(frameTypes.message, frameFlags.more, 1, empty),
        frame(frameTypes.message, frameFlags.gzip, 1, empty),
      ],
      "protocol",
    ],
    [
      "no credit",
      [
        preface,
        settings,
        call,
        ...Array.from({ length: 5 }, () => frame(frameTypes.message, 0, 1, Buffer.alloc(16_384))),
      ],
      "flowControl",
    ],
    [
      "a flood of empty messages",
      [preface, settings, call, ...Array.from({ length: 1100 }, () => frame(frameTypes.message, 0, 1, empty))],
      "flowControl",
    ],
    [
      "credit beyond the maximum",
      [preface, settings, call, ...Array.from({ length: 2 }, () => numberFrame(frameTypes.credit, 1, 2 ** 31 - 1))],
      "flowControl",
    ],
    ["tiny credit", [preface, settings, call, numberFrame(frameTypes.credit, 1, 1)], "protocol"],
    ["credit of three bytes", [preface, settings, call, frame(frameTypes.credit, 0, 1, Buffer.alloc(3))], "protocol"],
    ["a short ping", [preface, settings, frame(frameTypes.ping, 0, 0, empty)], "protocol"],
    ["a short goodbye", [preface, settings, frame(frameTypes.goAway, 0, 0, empty)], "protocol"],
    [
      "a flood of pings",
      [preface, settings, ...Array.from({ length: 200 }, () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8)))],
      "flood",
    ],
    [
      "a flood of unknown frames",
      [preface, settings, ...Array.from({ length: 200 }, () => frame(99, 0, 0, empty))],
      "flood",
    ],
    [
      "a flood of calls that are canceled",
      [
        preface,
        settings,
        ...Array.from({ length: 200 }, (_, i) =>
          Buffer.concat([callFrame(2 * i + 1, head), frame(frameTypes.cancel, 0, 2 * i + 1, empty)]),
        ),
      ],
      "flood",
    ],
  ];

  test.each(cases)("%s", (_what, pieces, code) => {
    const canceled = vi.fn();
    let left = 100;
    const server = side("server", {
      serve: (stream) => (stream.onCancel = canceled),
      flood: { spend: (amount) => (left -= amount) >= 0, earn: () => undefined },
    });
    for (const piece of pieces) server.session.receive(piece);
    expect(server.faults).toHaveLength(1);
    expect(server.errors).toEqual([]);
    expect(server.carrier.isClosed).toBe(true);
    expect(server.session.streamCount).toBe(0);
    expect(server.carrier.types.at(-1)).toBe(frameTypes.goAway);
    expect(server.faults[0]!.code).toBe(goAwayCodes[code]);
  });

  test("what it sends after the end of a call is ignored", () => {
    const server = side("server", { serve: (stream) => stream.finish({ error: undefined, trailers: none }) });
    const late = [
      frame(frameTypes.message, 0, 1, empty),
      frame(frameTypes.close, 0, 1, empty),
      numberFrame(frameTypes.credit, 1, 100),
    ];
    for (const piece of [preface, settings, call, ...late, ...late, frame(frameTypes.cancel, 0, 1, empty)]) {
      server.session.receive(piece);
    }
    expect(server.faults).toEqual([]);
  });

  test("a message beyond the maximum ends its call alone", async () => {
    const streams: CalledStream[] = [];
    const server = side("server", { maxMessageSize: () => 10, serve: (stream) => streams.push(stream) });
    for (const piece of [preface, settings, call, frame(frameTypes.message, 0, 1, Buffer.alloc(11))]) {
      server.session.receive(piece);
    }
    expect(() => streams[0]!.receive()).toThrow(expect.objectContaining({ code: "resource_exhausted" }) as Error);
    expect(server.faults).toEqual([]);
  });

  test("a client whose server says goodbye in the middle hears it", async () => {
    const client = side("client");
    const stream = begin(client.session);
    for (const piece of [preface, settings, goAwayFrame(0, goAwayCodes.protocol, "bad")]) client.session.receive(piece);
    expect(() => stream.receive()).toThrow(/bad/);
    expect(client.carrier.isClosed).toBe(true);
  });
});

describe("a call that is answered by one message", () => {
  const one = z.object({ n: z.number() });
  const counting = bundlet("a.B", { count: unary({ input: one, output: one }) });

  /** What becomes of a call whose answer is these messages. */
  async function answeredBy(messages: readonly string[], maxMessageSize = 1000): Promise<unknown> {
    const client = side("client");
    const server = side("server", {
      serve: (stream) => {
        const send = async (): Promise<void> => {
          for (const message of messages) await stream.send(Buffer.from(message));
          stream.finish({ error: undefined, trailers: none });
        };
        // It is canceled in the middle by a client that has seen enough.
        send().catch(() => undefined);
      },
    });
    await exchange(client, server);
    const { session } = client;
    const transport: Transport = {
      call: (call) => callOver(session, call, maxMessageSize),
      callOnce: (call) => callOnceOver(session, call, maxMessageSize),
    };
    const answer = makeClient(counting, transport)
      .count({ n: 1 })
      .catch((error: unknown) => error);
    await exchange(client, server, 7);
    expect([session.streamCount, server.session.streamCount]).toEqual([0, 0]);
    return await answer;
  }

  test("gets it, also one that is larger than the credit", async () => {
    expect(await answeredBy(['{"n":2}'])).toEqual({ n: 2 });
    const large = `{"n":3${" ".repeat(200_000)}}`;
    expect(await answeredBy([large], 1_000_000)).toEqual({ n: 3 });
  });

  test("fails if the answer has none, several, one that is too large, or one that is none", async () => {
    expect(await answeredBy([])).toMatchObject({ code: "unimplemented" });
    expect(await answeredBy(['{"n":2}', '{"n":2}', '{"n":2}'])).toMatchObject({ code: "unimplemented" });
    expect(await answeredBy([`{"n":3${" ".repeat(2000)}}`])).toMatchObject({ code: "resource_exhausted" });
    expect(await answeredBy(["{"])).toMatchObject({ code: "invalid_argument" });
  });

  test("is told that the answer is too large, or the second one, also by the frame that ends it", async () => {
    const { last } = frameFlags;
    const small = Buffer.from("{}");
    const answers: readonly [string, readonly Uint8Array[]][] = [
      ["larger than the limit of 1000 bytes", [frame(frameTypes.message, last, 1, Buffer.alloc(2000))]],
      ["several messages", [0, last].map((flags) => frame(frameTypes.message, flags, 1, small))],
    ];
    for (const [why, messages] of answers) {
      const client = side("client");
      const { session } = client;
      for (const piece of [preface, settingsFrame({ ...initialSettings })]) session.receive(piece);
      const transport: Transport = {
        call: (call) => callOver(session, call, 1000),
        callOnce: (call) => callOnceOver(session, call, 1000),
      };
      const answer = makeClient(counting, transport).count({ n: 1 });
      for (const message of messages) session.receive(message);
      await expect(answer).rejects.toThrow(why);
    }
  });

  test("leaves no stream behind if its message cannot be sent, as does one that is answered by a stream", async () => {
    const client = side("client");
    const server = side("server", { serve: () => undefined });
    await exchange(client, server);
    const { session } = client;
    const byStream: Transport = { call: (call) => callOver(session, call, 1000) };
    const byOne: Transport = { ...byStream, callOnce: (call) => callOnceOver(session, call, 1000) };
    for (const transport of [byStream, byOne]) {
      const n = 1n as unknown as number;
      await expect(makeClient(counting, transport).count({ n })).rejects.toThrow();
      await exchange(client, server);
      expect([session.streamCount, server.session.streamCount]).toEqual([0, 0]);
    }
  });

  test.each(["onHeaders", "onTrailers"])("fails alone if its %s throws: other calls go on", async (callback) => {
    const called: CalledStream[] = [];
    const client = side("client");
    const server = side("server", { serve: (stream) => void called.push(stream) });
    await exchange(client, server);
    const { session } = client;
    const other = begin(session);
    const answer = makeClient(counting, {
      call: (call) => callOver(session, call, 1000),
      callOnce: (call) => callOnceOver(session, call, 1000),
    })
      .count(
        { n: 1 },
        {
          [callback]: () => {
            throw new Error("a mistake of the caller");
          },
        },
      )
      .catch((error: unknown) => error);
    await exchange(client, server);
    const metadata = new Metadata({ a: "b" });
    called[1]?.sendHeaders(metadata);
    await called[1]?.send(Buffer.from('{"n":2}'));
    called[1]?.finish({ error: undefined, trailers: metadata });
    await exchange(client, server);
    expect(await answer).toMatchObject({ code: "canceled", cause: { message: "a mistake of the caller" } });
    expect([session.isClosed, other.isOver, client.errors]).toEqual([false, false, []]);
  });
});

test("no bytes of a peer make a session throw, whatever they are", () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  const frames = fc.array(
    fc.record({
      type: fc.integer({ min: 0, max: 10 }),
      flags: fc.integer({ min: 0, max: 15 }),
      id: fc.integer({ min: 0, max: 6 }),
      payload: bytes,
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(frames, bytes, fc.constantFrom("client", "server"), (frames, garbage, role) => {
      const peer = side(role, { serve: (stream) => void echo(stream).catch(() => undefined) });
      void all(begin(peer.session)).catch(() => undefined);
      peer.session.receive(preface);
      peer.session.receive(settingsFrame({ ...initialSettings }));
      for (const { type, flags, id, payload } of frames) peer.session.receive(frame(type, flags, id, payload));
      peer.session.receive(garbage);
      expect(peer.errors).toEqual([]);
      peer.session.broken("over");
      expect(peer.session.streamCount).toBe(0);
    }),
    { numRuns: 500 },
  );
});
