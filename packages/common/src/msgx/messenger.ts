// msgx: two programs call each other over a byte stream. See docs/control.md for the messages.

import type { Duplex } from "node:stream";
import { frameOf, FrameReader } from "./frames.ts";

export interface MessengerOptions {
  /**
   * Serves a call or a notice (`tell`) of the other side. What it returns is sent back as JSON; what it throws is sent
   * as an error, with `message`, and `code` if it has one. Default: everything is refused.
   */
  readonly serve?: (name: string, params: unknown) => unknown;
  /** The maximum size of a received message in bytes. Default: 16 MiB. */
  readonly maxMessage?: number;
  /** The maximum number of calls of the other side that are served at once. Default: 16. */
  readonly maxCalls?: number;
  /** Called once at the end, with the reason if the other side broke the rules. */
  readonly closed?: (error: Error | undefined) => void;
}

/** An error that the other side has sent. */
export class CallError extends Error {
  override name = "CallError";
  /** The code of the error at the other side; "" if it had none. */
  readonly code: string;
  /** Further facts that the other side has sent. */
  readonly details: unknown;

  constructor(message: string, code: string, details: unknown) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** One end of a stream of messages. */
export class Messenger {
  readonly #stream: Duplex;
  readonly #options: MessengerOptions;
  readonly #reader: FrameReader;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #serving = 0;
  #isClosed = false;

  constructor(stream: Duplex, options: MessengerOptions = {}) {
    this.#stream = stream;
    this.#options = options;
    this.#reader = new FrameReader(options.maxMessage ?? 16 * 1024 * 1024);
    stream.on("data", (chunk: Buffer) => this.#read(chunk));
    stream.on("end", () => this.#close(undefined));
    stream.on("error", (error) => this.#close(error));
    stream.on("close", () => this.#close(undefined));
  }

  /** Resolves to the result. Rejects with a CallError, or with an Error if the stream ends before the answer. */
  async call(name: string, params?: unknown): Promise<unknown> {
    if (this.#isClosed) throw new Error("the connection is closed");
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#send({ id, call: name, params });
    return await waiting.promise;
  }

  /** Sends something that needs no answer. */
  tell(name: string, params?: unknown): void {
    this.#send({ tell: name, params });
  }

  /** Ends the stream. Calls that wait are rejected. */
  close(): void {
    this.#stream.end();
    this.#close(undefined);
  }

  /** False: the other side does not read as fast. */
  #send(message: unknown): boolean {
    return this.#isClosed || this.#stream.write(frameOf(message));
  }

  /** Answers must not pile up: whoever does not read them is not asked what else it wants. */
  #answer(message: unknown): void {
    if (this.#send(message)) return;
    this.#stream.pause();
    this.#stream.once("drain", () => this.#stream.resume());
  }

  #read(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      for (const message of this.#reader.push(chunk)) this.#received(message);
    } catch (error) {
      this.#close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #received(message: unknown): void {
    if (!isRecord(message)) throw new TypeError("a message is no object");
    const { id, call, tell, params, result, error } = message;
    if (typeof call === "string" && typeof id === "number") return void this.#serve(call, params, id);
    if (typeof tell === "string") return void this.#serve(tell, params, undefined);
    const waiting = typeof id === "number" ? this.#take(id) : undefined;
    if (waiting === undefined) throw new TypeError("a message is neither a call nor an answer to one");
    if (isRecord(error)) {
      const { message: text, code, details } = error;
      waiting.reject(new CallError(String(text), typeof code === "string" ? code : "", details));
    } else waiting.resolve(result);
  }

  #take(id: number): PromiseWithResolvers<unknown> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  async #serve(name: string, params: unknown, id: number | undefined): Promise<void> {
    const { serve, maxCalls = 16 } = this.#options;
    if (this.#serving >= maxCalls) return this.#close(new RangeError(`more than ${maxCalls} calls at once`));
    this.#serving++;
    try {
      if (serve === undefined) throw new TypeError(`there is no action ${name}`);
      const result = await serve(name, params);
      if (id !== undefined) this.#answer({ id, result });
    } catch (error) {
      if (id !== undefined) this.#answer({ id, error: plain(error) });
    } finally {
      this.#serving--;
    }
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (error !== undefined) this.#stream.destroy();
    const reason = error ?? new Error("the connection was closed before the answer");
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    this.#options.closed?.(error);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function plain(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = "code" in error ? error.code : undefined;
  const details = "details" in error ? error.details : undefined;
  return { message: error.message, code, details };
}
