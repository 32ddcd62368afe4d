// The web-standard Request that a fetch app gets: a real one, made at once.
//
// One that only looks like it and is made when needed would save 2 µs, but `new Request(request)` and `fetch(request)`
// refuse it, since they read private fields, and apps do both. `LightRequest` is for apps whose global Request knows
// better. What costs most, a signal, is made when the app asks for it. The class itself loads much of Node.js when it
// is first named: import this file where it is needed.

import type { Request as HemiRequest } from "@hemi/internal";
import { asContentFailure } from "./content-failure.ts";
import { fetchURLOf } from "./fetch-url.ts";

/** Whoever replaces the global one does it after this. */
export const NativeRequest: typeof globalThis.Request = globalThis.Request;

/** Throws HTTPError 400 where the host makes no URL. `headers`: in the place of those of `req`. */
export function makeFetchRequest(req: HemiRequest, url: string = fetchURLOf(req), headers?: Headers): Request {
  const method = fetchMethodOf(req);
  // The web has no content in these two (Fetch 5.4): if there is some nevertheless, the engine reads it away.
  const hasBody = req.hasContent && method !== "GET" && method !== "HEAD";
  const init: RequestInit = hasBody ? { method, body: bodyOf(req), duplex: "half" } : { method };
  if (headers !== undefined) init.headers = headers;
  const request = FetchRequest.of(req, url, init);
  // Each by itself: that is twice as fast as a list of them for the constructor, which looks at each part of a list.
  if (headers === undefined) appendFields(req, request.headers);
  return request;
}

export function appendFields(req: HemiRequest, headers: Headers): void {
  for (const [name, value] of req.headers) headers.append(name, value);
}

/** In capitals where the standard has it so (Fetch 2.2.1). */
export function fetchMethodOf({ method }: HemiRequest): string {
  return method === "GET"
    ? method
    : /^(?:delete|get|head|options|post|put)$/i.test(method)
      ? method.toUpperCase()
      : method;
}

class FetchRequest extends NativeRequest {
  // None if the app has made it: `new request.constructor(…)` is as good as one of the web's own.
  #req: HemiRequest | undefined;

  static of(req: HemiRequest, url: string, init: RequestInit): FetchRequest {
    const request = new FetchRequest(url, init);
    request.#req = req;
    return request;
  }

  /** For the two accessors below, which the types of the web declare as properties. */
  static {
    Object.defineProperties(this.prototype, {
      signal: {
        configurable: true,
        get(this: FetchRequest): AbortSignal {
          // That of the engine, made when it is first asked for.
          return this.#req === undefined ? nativeSignalOf(this) : this.#req.signal;
        },
      },
      /** The copy hears of the client's leaving too. */
      clone: {
        configurable: true,
        value(this: FetchRequest): Request {
          return new NativeRequest(cloneRequest.call(this), { signal: this.signal });
        },
      },
    });
  }
}

const cloneRequest = NativeRequest.prototype.clone;

function nativeSignalOf(request: Request): AbortSignal {
  return Reflect.get(NativeRequest.prototype, "signal", request);
}

/** The content, pulled as the app reads it. */
function bodyOf(req: HemiRequest): ReadableStream<Uint8Array> {
  let pieces: AsyncIterator<Uint8Array, void> | undefined;
  return new ReadableStream(
    {
      type: "bytes",
      async pull(controller) {
        try {
          pieces ??= req.content[Symbol.asyncIterator]();
          const { done, value } = await pieces.next();
          if (done === true) {
            controller.close();
            // A reader that brought its own buffer waits for this to see the end.
            controller.byobRequest?.respond(0);
          } else {
            // A copy: a byte stream takes the memory of what it is handed, and this lies in the connection's input.
            controller.enqueue(new Uint8Array(value));
          }
        } catch (error) {
          throw asContentFailure(error);
        }
      },
      async cancel() {
        await pieces?.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
