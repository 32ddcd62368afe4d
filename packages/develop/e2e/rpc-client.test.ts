// Our client against our server: by Connect over fetch, by event streams, and inside the process.

import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { implement, localTransport, MemorySink, openErrorLog, type Call, type ServedBundlet } from "@hemi/hemi";
import { serveRpc, testBundlet, testService } from "@hemi/internal/testing";
import {
  bidiStreaming,
  bundlet,
  client,
  clientStreaming,
  connectTransport,
  Metadata,
  RpcError,
  serverStreaming,
  unary,
  type Transport,
} from "@hemi/rpc-client";
import { detailsOf, errorDetail } from "@hemi/rpc-client/proto";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

const number = z.object({ n: z.number() });

const numbers = bundlet("test.Numbers", {
  double: unary({ input: z.object({ n: z.number().default(4) }), output: number, idempotency: "no_side_effects" }),
  count: serverStreaming({ input: number, output: number }),
  sum: clientStreaming({ input: number, output: number }),
  echo: bidiStreaming({ input: number, output: number }),
});

interface Observed {
  readonly events: string[];
  failures: number;
}

function numbersService(observed: Observed = { events: [], failures: 0 }): ServedBundlet {
  return implement(numbers, {
    double({ n }, call) {
      if (observed.failures-- > 0) throw new RpcError("unavailable", "later");
      if (n < 0) {
        throw new RpcError("out_of_range", "below zero", {
          details: [errorDetail(DurationSchema, { seconds: 5n })],
        });
      }
      call.headers.set("x-head", call.metadata.get("x-asked") ?? "");
      call.trailers.set("x-trail", "t");
      if (n === 99) return hang(call, observed);
      return { n: 2 * n };
    },
    async *count({ n }, call) {
      try {
        for (let i = Number(call.lastEventId ?? 0); i < n; i++) {
          call.eventId = String(i + 1);
          yield { n: i };
        }
      } finally {
        observed.events.push("count closed");
      }
    },
    async sum(inputs) {
      let sum = 0;
      for await (const { n } of inputs) sum += n;
      return { n: sum };
    },
    async *echo(inputs) {
      for await (const input of inputs) yield input;
    },
  });
}

function hang(call: Call, observed: Observed): Promise<never> {
  return new Promise((_resolve, reject) => {
    observed.events.push("hangs");
    call.signal.addEventListener("abort", () => {
      observed.events.push("aborted");
      reject(call.signal.reason as Error);
    });
  });
}

const ways: Record<string, (url: string, service: ServedBundlet) => Transport> = {
  "Connect over fetch": (url) => connectTransport(url),
  "Connect over fetch, GET": (url) => connectTransport(url, { useGet: true }),
  "event streams": (url) => connectTransport(url, { eventStreams: true }),
  "local calls": (_url, service) =>
    localTransport(() => ({ bundlets: [service] }), { log: openErrorLog({ sink: new MemorySink() }) }),
};

describe.each(Object.entries(ways))("a client by %s", (_way, makeTransport) => {
  async function begin(observed?: Observed) {
    const service = numbersService(observed);
    const site = await serveRpc({ bundlets: [service] });
    return { site, stock: client(numbers, { to: makeTransport(site.url, service) }) };
  }

  test("calls all kinds of procedures, with types", async () => {
    const { site, stock } = await begin();
    await using _site = site;
    const doubled = await stock.double({});
    expectTypeOf(doubled).toEqualTypeOf<{ n: number }>();
    expect(doubled).toEqual({ n: 8 });
    const counted: number[] = [];
    for await (const { n } of stock.count({ n: 3 })) counted.push(n);
    expect(counted).toEqual([0, 1, 2]);
    expect(await stock.sum([{ n: 1 }, { n: 5 }])).toEqual({ n: 6 });
    async function* inputs() {
      yield { n: 7 };
      yield { n: 8 };
    }
    const echoed: number[] = [];
    for await (const { n } of stock.echo(inputs())) echoed.push(n);
    expect(echoed).toEqual([7, 8]);
  });

  test("gets codes, details and metadata", async () => {
    const { site, stock } = await begin();
    await using _site = site;
    const got: (string | undefined)[] = [];
    await stock.double(
      { n: 1 },
      {
        metadata: new Metadata({ "x-asked": "a" }),
        onHeaders: (headers) => got.push(headers.get("x-head")),
        onTrailers: (trailers) => got.push(trailers.get("x-trail")),
      },
    );
    expect(got).toEqual(["a", "t"]);
    const error = await stock.double({ n: -1 }).catch((error: unknown) => error as RpcError);
    expect(error).toMatchObject({ code: "out_of_range", message: "below zero" });
    expect(detailsOf(error as RpcError, DurationSchema)).toMatchObject([{ seconds: 5n }]);
    await expect(stock.double({ n: "x" as never })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("gives up at its deadline, by its signal, and with its parent", async () => {
    const observed = { events: [] as string[], failures: 0 };
    const { site, stock } = await begin(observed);
    await using _site = site;
    await expect(stock.double({ n: 99 }, { timeout: 60 })).rejects.toMatchObject({ code: "deadline_exceeded" });
    const abort = new AbortController();
    const canceled = stock.double({ n: 99 }, { signal: abort.signal });
    await expect.poll(() => observed.events.filter((event) => event === "hangs")).toHaveLength(2);
    abort.abort();
    await expect(canceled).rejects.toMatchObject({ code: "canceled" });
    const parent = { signal: new AbortController().signal, timeLeft: 60 };
    await expect(stock.double({ n: 99 }, { parent })).rejects.toMatchObject({ code: "deadline_exceeded" });
    await expect.poll(() => observed.events.filter((event) => event === "aborted")).toHaveLength(3);
  });

  test("closes the procedure when it leaves a stream", async () => {
    const observed = { events: [] as string[], failures: 0 };
    const { site, stock } = await begin(observed);
    await using _site = site;
    for await (const { n } of stock.count({ n: 1e9 })) if (n === 2) break;
    await expect.poll(() => observed.events).toEqual(["count closed"]);
  });

  test("repeats what is idempotent while the server is unavailable, a few times", async () => {
    const observed = { events: [] as string[], failures: 2 };
    const { site, stock } = await begin(observed);
    await using _site = site;
    expect(await stock.double({ n: 1 })).toEqual({ n: 2 });
    observed.failures = 3;
    await expect(stock.double({ n: 1 })).rejects.toMatchObject({ code: "unavailable" });
  });
});

test("protobuf messages travel as bytes or as JSON", async () => {
  await using site = await serveRpc();
  for (const codec of ["proto", "json"] as const) {
    const test = client(testBundlet, { to: connectTransport(site.url, { codec }) });
    const { payload } = await test.unaryCall({ responseSize: 5, payload: { body: new Uint8Array(3) } });
    expect(payload?.body.length).toBe(5);
    expect((await test.streamingInputCall([{ payload: { body: new Uint8Array(7) } }])).aggregatedPayloadSize).toBe(7);
  }
});

test("an event stream goes on behind the last message after its connection was lost", async () => {
  await using site = await serveRpc({ bundlets: [numbersService()] });
  const asked: (string | null)[] = [];
  const breaking: typeof fetch = async (input, init) => {
    asked.push(new Headers(init?.headers).get("last-event-id"));
    const response = await fetch(input, init);
    if (asked.length > 2) return response;
    // The connection breaks off behind two events.
    const [first, second] = (await response.text()).split("\n\n");
    return new Response(`${first!}\n\n${second!}\n\ndata: hal`, { headers: response.headers });
  };
  const { count } = client(numbers, { to: connectTransport(site.url, { eventStreams: true, fetch: breaking }) });
  const counted: number[] = [];
  for await (const { n } of count({ n: 6 })) counted.push(n);
  expect(counted).toEqual([0, 1, 2, 3, 4, 5]);
  expect(asked).toEqual([null, "2", "4"]);
});

test("a server that cannot be reached, or is none, gives a code", async () => {
  const site = await serveRpc({ bundlets: [testService()] });
  const { double } = client(numbers, { to: site.url, retries: 0 });
  await expect(double({ n: 1 })).rejects.toMatchObject({ code: "unimplemented" });
  const none = client(numbers, { to: `${site.url}/nowhere`, retries: 0 });
  await expect(none.sum([])).rejects.toMatchObject({ code: "unimplemented" });
  await site[Symbol.asyncDispose]();
  await expect(double({ n: 1 })).rejects.toMatchObject({ code: "unavailable" });
});

test("interceptors of a client see its calls", async () => {
  await using site = await serveRpc({ bundlets: [numbersService()] });
  const paths: string[] = [];
  const { double } = client(numbers, {
    to: site.url,
    interceptors: [
      (call, next) => {
        paths.push(call.path);
        return next({ ...call, metadata: new Metadata({ "x-asked": "by interceptor" }) });
      },
    ],
  });
  let head: string | undefined;
  await double({ n: 1 }, { onHeaders: (headers) => (head = headers.get("x-head")) });
  expect([paths, head]).toEqual([["/test.Numbers/double"], "by interceptor"]);
});
