// The web-standard Request that a fetch app gets.
//
// It is a real one, made at once: that costs 3 to 4 µs, a third of the Response that the app makes. One that only looks like it
// and is made when needed would save most of that, but `new Request(request)` and `fetch(request)` refuse it, and apps do both.
// What costs most, a signal, is made when the app asks for it. The class itself loads much of Node.js when it is first named:
// import this file where it is needed.

import { HTTPError, type Request as HemiRequest } from "@hemi/internal";
import { asContentFailure } from "./content-failure.ts";

/** Throws HTTPError 400 where host and path make no URL. */
export function makeFetchRequest(req: HemiRequest): Request {
  const url = `${req.scheme}://${req.authority || "localhost"}${req.uri}`;
  const { method } = req;
  const headers = [...req.headers] as [string, string][];
  // The web has no content in these two (Fetch 5.4): if there is some nevertheless, the engine reads it away.
  const hasBody = req.hasContent && method !== "GET" && method !== "HEAD";
  try {
    return new FetchRequest(
      req,
      url,
      hasBody ? { method, headers, body: bodyOf(req), duplex: "half" } : { method, headers },
    );
  } catch (error) {
    if (URL.canParse(url)) throw error;
    throw new HTTPError(400, `the app can be given no Request: ${url} is no URL`);
  }
}

class FetchRequest extends Request {
  readonly #req: HemiRequest;

  constructor(req: HemiRequest, url: string, init: RequestInit) {
    super(url, init);
    this.#req = req;
  }

  /** For the two accessors below, which the types of the web declare as properties. */
  static {
    Object.defineProperties(this.prototype, {
      signal: {
        configurable: true,
        get(this: FetchRequest): AbortSignal {
          return this.#req.signal;
        },
      },
      /** The copy hears of the client's leaving too. */
      clone: {
        configurable: true,
        value(this: FetchRequest): Request {
          return new Request(cloneRequest.call(this), { signal: this.#req.signal });
        },
      },
    });
  }
}

const cloneRequest = Request.prototype.clone;

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
