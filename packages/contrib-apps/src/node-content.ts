// Pulls the content of a request into the IncomingMessage of an app, as the app reads it.

import type { IncomingMessage } from "node:http";
import type { Request as HemiRequest } from "@hemi/internal";
import { asContentFailure, ContentFailure } from "./content-failure.ts";
import type { FailureOwner } from "@hemi/common";
import { clientAborted } from "./node-errors.ts";

/** What the parser of Node.js calls: the one way to `headers`, `headersDistinct` and the trailers alike. */
export interface LineHandler {
  _addHeaderLines(lines: string[], count: number): void;
}

/** Whose content it is. */
export interface ContentOwner extends FailureOwner {
  /** The app has destroyed the request before all of it was read. */
  breakOff(): void;
  /** The app hears of this failure, and answers. */
  leaveToApp(failure: ContentFailure): void;
}

export class NodeContent {
  readonly #req: HemiRequest;
  readonly #message: IncomingMessage & LineHandler;
  readonly #owner: ContentOwner;
  #pieces: AsyncIterator<Uint8Array, void> | undefined;
  #isPulling = false;
  #isDumped = false;

  constructor(req: HemiRequest, message: IncomingMessage & LineHandler, owner: ContentOwner) {
    this.#req = req;
    this.#message = message;
    this.#owner = owner;
  }

  /** Aborts when the client leaves before the answer is complete. */
  get signal(): AbortSignal {
    return this.#req.signal;
  }

  /** The app wants to read. */
  read(): void {
    if (this.#message.complete || this.#isDumped) this.#message.push(null);
    else if (!this.#isPulling) void this.#pull();
  }

  /** The request is destroyed: by the app, by the client's leaving, or by itself at its end. */
  destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const message = this.#message;
    const isWhole = message.readableEnded && message.complete;
    // Content that is too large or broken is no reason to leave: the app may say so to the client.
    if (!isWhole && !this.#isDumped && !(error instanceof ContentFailure)) {
      Object.assign(message, { aborted: true });
      message.emit("aborted");
      this.#owner.breakOff();
    }
    // As Node.js does it: an error that nobody listens for is none.
    process.nextTick(() => callback(message.listenerCount("error") === 0 ? null : error));
  }

  /** The answer is complete: an app that waits for the end of a request that it never read gets it. */
  dump(): void {
    const message = this.#message;
    const isAwaited = message.listenerCount("end") + message.listenerCount("close") > 0;
    if (!isAwaited || message.readableEnded || message.destroyed || this.#pieces !== undefined) return;
    this.#isDumped = true;
    message.removeAllListeners("data");
    message.resume();
  }

  /** Until the buffer is full, or all has come. */
  async #pull(): Promise<void> {
    const message = this.#message;
    this.#isPulling = true;
    try {
      this.#pieces ??= this.#req.content[Symbol.asyncIterator]();
      for (;;) {
        const result = await this.#pieces.next();
        if (message.destroyed) return;
        if (result.done === true) return this.#end();
        if (!message.push(result.value)) return;
      }
    } catch (error) {
      const failure = asContentFailure(error);
      if (failure instanceof ContentFailure) this.#failed(failure);
      else message.destroy(clientAborted());
    } finally {
      this.#isPulling = false;
    }
  }

  /**
   * The content is broken, too slow or too large: who listens for it answers in its own way, and for all others the
   * engine does.
   */
  #failed(failure: ContentFailure): void {
    const message = this.#message;
    const isHeard = message.listenerCount("error") > 0;
    // No more will come: who waits for the rest before it answers, as the body parsers of Express do, need not.
    message.complete = true;
    message.destroy(failure);
    if (isHeard) this.#owner.leaveToApp(failure);
    else this.#owner.fail(failure);
  }

  #end(): void {
    const message = this.#message;
    message.complete = true;
    const lines = [...this.#req.trailers].flat();
    if (lines.length > 0) message._addHeaderLines(lines, lines.length);
    message.push(null);
  }
}
