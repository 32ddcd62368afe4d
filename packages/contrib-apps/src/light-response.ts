// A Response of text, bytes or nothing, that is made real when somebody reads it by itself. Most are only sent.

import { isStatusWithContent } from "@hemi/internal";
import { copyHeaders, leaveRestTo } from "./light-members.ts";
import { isObject } from "./load-app.ts";

/** Whoever replaces the global one does it after this. */
export const NativeResponse: typeof globalThis.Response = globalThis.Response;

type LightBody = string | Uint8Array | null;

/** What there is to send of a response that nobody has read from. */
export interface UnreadAnswer {
  readonly body: LightBody;
  /** `undefined`: nothing but the type. */
  readonly headers: Headers | undefined;
  /** That its body gives it; "" without one. */
  readonly type: string;
}

export class LightResponse {
  readonly #body: LightBody;
  readonly #type: string;
  readonly #status: number;
  /** Made when someone looks at them. */
  #headers: Headers | undefined;
  #real: Response | undefined;

  /** `type`: that of a text without one. */
  constructor(body: LightBody, type: string, status: number, headers: Headers | undefined) {
    this.#body = body;
    this.#type = typeof body === "string" ? type : "";
    this.#status = status;
    this.#headers = headers;
    if (headers !== undefined && this.#type !== "" && !headers.has("content-type")) {
      headers.set("content-type", this.#type);
    }
  }

  get status(): number {
    return this.#status;
  }

  get ok(): boolean {
    return this.#status <= 299;
  }

  get headers(): Headers {
    return (this.#headers ??= new Headers(this.#type === "" ? {} : { "content-type": this.#type }));
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? false;
  }

  static {
    leaveRestTo(this.prototype, NativeResponse.prototype, LightResponse.realOf);
  }

  /** One and the same each time, with the fields as the app has left them. */
  static realOf(this: void, light: LightResponse): Response {
    light.#real ??= new NativeResponse(light.#body, { status: light.#status });
    copyHeaders(light.headers, light.#real.headers);
    return light.#real;
  }

  /** `undefined`: it has been read from, and the rest is to be had as of any Response. */
  static unreadOf(this: void, light: LightResponse): UnreadAnswer | undefined {
    return light.#real === undefined ? { body: light.#body, headers: light.#headers, type: light.#type } : undefined;
  }
}

/** As the Fetch standard has it for text ("extract a body"). */
const textType = "text/plain;charset=UTF-8";

/**
 * As `new Response(body, init)`, with another type of text; `undefined` for what the real one is to be asked for, and
 * for what it will refuse.
 */
export function makeLightResponse(body: unknown, init: unknown, type = textType): LightResponse | undefined {
  const content = lightBodyOf(body);
  if (content === undefined) return undefined;
  if (init === undefined) return new LightResponse(content, type, 200, undefined);
  if (!isObject(init)) return undefined;
  const { status = 200, statusText = "", headers } = init;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599) return undefined;
  if (statusText !== "" || (content !== null && isNullBodyStatus(status))) return undefined;
  return new LightResponse(
    content,
    type,
    status,
    headers === undefined ? undefined : new Headers(headers as ConstructorParameters<typeof Headers>[0]),
  );
}

/** `undefined` for a body of another sort. Bytes are copied, as they are in a real one: their owner may change them. */
function lightBodyOf(body: unknown): LightBody | undefined {
  if (body === undefined || body === null) return null;
  if (typeof body === "string") return body;
  return body instanceof Uint8Array && body.buffer instanceof ArrayBuffer ? Buffer.from(body) : undefined;
}

/** Fetch 2.2.3. */
function isNullBodyStatus(status: number): boolean {
  return status === 205 || !isStatusWithContent(status);
}
