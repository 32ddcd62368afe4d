// A Request that is made real when something needs it: its body, or a member that few look at.
//
// What reads the private fields of the real class refuses it: its constructor, and `fetch`. So it is for apps whose
// globals are those of `web-globals.ts`, which hand the real one on.

import type { Request as HemiRequest } from "@hemi/internal";
import { appendFields, fetchMethodOf, makeFetchRequest, NativeRequest } from "./fetch-request.ts";
import { copyHeaders, leaveRestTo } from "./light-members.ts";

export class LightRequest {
  readonly #req: HemiRequest;
  readonly #url: string;
  /** What the app has been given of them: it may have changed them. */
  #headers: Headers | undefined;
  #real: Request | undefined;

  constructor(req: HemiRequest, url: string) {
    this.#req = req;
    this.#url = url;
  }

  get url(): string {
    return this.#url;
  }

  get method(): string {
    return fetchMethodOf(this.#req);
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = this.#real?.headers;
      if (this.#headers === undefined) appendFields(this.#req, (this.#headers = new Headers()));
    }
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.#req.signal;
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? false;
  }

  static {
    leaveRestTo(this.prototype, NativeRequest.prototype, LightRequest.realOf);
  }

  /** One and the same each time, with the fields as the app has left them. */
  static realOf(this: void, light: LightRequest): Request {
    const real = light.#real;
    if (real === undefined) return (light.#real = makeFetchRequest(light.#req, light.#url, light.#headers));
    if (light.#headers !== undefined) copyHeaders(light.#headers, real.headers);
    return real;
  }
}

/** `url` is what the app is asked for, as `fetchURLOf` gives it. */
export function makeLightRequest(req: HemiRequest, url: string): Request {
  const light: object = new LightRequest(req, url);
  if (!(light instanceof NativeRequest)) throw new TypeError("a LightRequest is not in the chain of Request");
  return light;
}

/** What the real classes can read, in the place of a light request. */
export function realRequestOf<Value>(value: Value): Value | Request {
  return value instanceof LightRequest ? LightRequest.realOf(value) : value;
}
