// A fetch app without a framework: one function, with what frameworks rarely do.

import { once } from "node:events";
import { ContentFailure } from "../content-failure.ts";

/** What happened, for the tests to look at. */
export const events: string[] = [];

const routes: { readonly [path: string]: (request: Request) => unknown } = {
  "/what": (request) =>
    Response.json({
      is: request instanceof Request,
      url: request.url,
      method: request.method,
      body: request.body === null ? null : "stream",
      headers: [...request.headers],
    }),
  "/echo": async (request) => new Response(await request.text()),
  "/pipe": (request) => new Response(request.body),
  "/byob": async (request) => {
    const reader = (request.body ?? streamOf(new Uint8Array())).getReader({ mode: "byob" });
    let text = "";
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(4));
      if (done) return new Response(text);
      text += new TextDecoder().decode(value) + "|";
    }
  },
  "/again": async (request) => {
    const copy = request.clone();
    const other = new Request(request, { headers: { x: "1" } });
    return new Response(
      `${await copy.text()} ${await other.text()} ${other.headers.get("x")} ${copy.url === request.url}`,
    );
  },
  "/failure": async (request) => {
    try {
      return new Response(await request.text());
    } catch (error) {
      return new Response(error instanceof ContentFailure ? `told ${error.statusCode}` : String(error), {
        status: 418,
      });
    }
  },
  "/plain": () => new Response("plain"),
  "/empty": () => new Response(null, { status: 201 }),
  "/none": () => new Response(null, { status: 204 }),
  "/cookies": () => {
    const response = new Response("c");
    response.headers.append("set-cookie", "a=1");
    response.headers.append("set-cookie", "b=2");
    response.headers.append("vary", "x");
    response.headers.append("vary", "y");
    return response;
  },
  "/length": () => new Response("12345", { headers: { "content-length": "5", connection: "close" } }),
  "/long": () => new Response("12345", { headers: { "content-length": "4" } }),
  "/reason": () => new Response("x", { status: 404, statusText: "Gone Fishing" }),
  "/426": () => new Response("x", { status: 426, headers: { upgrade: "websocket" } }),
  "/late": () => new Response(pieces(["a", "b", "c"])),
  "/late-length": () => new Response(pieces(["a", "b", "c"]), { headers: { "content-length": "3" } }),
  "/fails-first": () => new Response(pieces([], new Error("no body"))),
  "/fails-later": () => new Response(pieces(["a"], new Error("half a body"))),
  "/strings": () => new Response(streamOf("text")),
  "/numbers": () => new Response(streamOf(1)),
  "/number-then-fails": () => new Response(numberThenFailure()),
  "/cancel-throws": () => new Response(new ReadableStream({ pull: noBytes, cancel: failToCancel })),
  "/cancel-of-its-own-throws": () => ({ ...ownResponse({}), body: { getReader: ownReader, cancel: failToCancel } }),
  "/framing": (request) => ownResponse(Object.fromEntries(new URL(request.url).searchParams)),
  "/fails-at-once": () => new Response(new ReadableStream({ start: (c) => c.error(new Error("no body at all")) })),
  "/endless": () =>
    new Response(
      new ReadableStream({
        pull: (c) => c.enqueue(new Uint8Array(65536)),
        cancel: () => void events.push("cancelled"),
      }),
    ),
  "/waits": async (request) => {
    await once(request.signal, "abort");
    events.push("aborted");
    return new Response("too late");
  },
  "/hangs": () => new Promise(() => {}),
  "/throws": () => {
    throw new Error("thrown at once");
  },
  "/rejects": () => Promise.reject(new Error("rejected")),
  "/undefined": () => undefined,
  "/null": () => null,
  "/pass": () => new Response("not mine", { status: 404, headers: { "x-pass": "yes" } }),
  "/read-and-pass": async (request) => {
    await request.text();
    return new Response("", { status: 404, headers: { "x-pass": "yes" } });
  },
  "/404": () => new Response("nothing", { status: 404 }),
};

export default function app(request: Request): unknown {
  const route = routes[new URL(request.url).pathname];
  return route === undefined ? new Response(request.url) : route(request);
}

function pieces(texts: readonly string[], error?: Error): ReadableStream {
  const left = [...texts];
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve));
      const text = left.shift();
      if (text !== undefined) controller.enqueue(new TextEncoder().encode(text));
      else if (error === undefined) controller.close();
      else controller.error(error);
    },
  });
}

/** What is no piece, and then an error: its end is asked for, or not, while nobody reads on. */
function numberThenFailure(): ReadableStream {
  return new ReadableStream<unknown>({
    start: (controller) => controller.enqueue(1),
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve));
      controller.error(new Error("no body after a number"));
    },
  });
}

function noBytes(controller: ReadableStreamDefaultController): void {
  controller.enqueue(new Uint8Array(65536));
}

function failToCancel(): never {
  events.push("cancelled");
  throw new Error("a cancel that throws");
}

/** A reader of no stream of the web's: it throws where those reject. */
function ownReader() {
  return { read: () => Promise.resolve({ done: false, value: new Uint8Array(65536) }), cancel: failToCancel };
}

/** As a ponyfill of another realm makes one: names keep their case. */
function ownResponse(fields: Readonly<Record<string, string>>) {
  const headers = { has: () => false, [Symbol.iterator]: () => Object.entries(fields).values() };
  return { status: 200, headers, body: streamOf(new TextEncoder().encode("12345")) };
}

function streamOf(value: unknown): ReadableStream {
  return new ReadableStream<unknown>({
    start(controller) {
      controller.enqueue(value);
      controller.close();
    },
  });
}
