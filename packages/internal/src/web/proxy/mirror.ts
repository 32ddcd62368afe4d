// Copies of requests for another backend, to see how it would do. Nobody waits for them, and their answers go nowhere.

import type { SelectionHint } from "../../backend/selection-hint.ts";
import type { ResponseHandler, BackendRequest, WebBackend, WebExchange } from "../../http/web-backend.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Fields } from "../../http/fields.ts";

export interface RequestMirrorOptions {
  readonly backend: () => WebBackend;
  /** Of copies that are under way. */
  readonly maxCopies: () => number;
  /** In bytes, of a request's content that waits for the other backend. */
  readonly maxBacklog: () => number;
  readonly log: ErrorLog;
}

/** Of one proxy. */
export class RequestMirror {
  readonly #options: RequestMirrorOptions;
  #copies = 0;

  constructor(options: RequestMirrorOptions) {
    this.#options = options;
  }

  /** Begins a copy, unless too many are under way. */
  copy(request: BackendRequest, wish: SelectionHint): MirroredRequest | undefined {
    const { backend, maxCopies, maxBacklog, log } = this.#options;
    const note = (reason: string) => log.debug(`${request.method} ${request.target} is not mirrored: ${reason}`);
    if (this.#copies >= maxCopies()) {
      note("there are maxMirrored copies already");
      return undefined;
    }
    this.#copies++;
    const over = (failure: string | undefined): void => {
      this.#copies--;
      if (failure !== undefined) note(failure);
    };
    return new MirroredRequest((taker) => backend().exchange(request, wish, taker), maxBacklog(), over);
  }
}

export class MirroredRequest implements ResponseHandler {
  readonly #exchange: WebExchange;
  readonly #maxBacklog: number;
  readonly #over: (failure: string | undefined) => void;
  /** Content that waits until the other backend takes more. */
  readonly #backlog: Uint8Array[] = [];
  #backlogSize = 0;
  #isWaiting = false;
  #trailers: Fields | undefined;
  #isOver = false;

  /** `over` is told how it failed, if it did. For `RequestMirror`. */
  constructor(
    begin: (taker: ResponseHandler) => WebExchange,
    maxBacklog: number,
    over: (failure: string | undefined) => void,
  ) {
    this.#maxBacklog = maxBacklog;
    this.#over = over;
    this.#exchange = begin(this);
  }

  // ---- what the request that is mirrored tells ----

  /** A piece of its content; the bytes must stay as they are. */
  sendContent(piece: Uint8Array): void {
    if (this.#isOver) return;
    this.#backlog.push(piece);
    this.#backlogSize += piece.length;
    if (this.#backlogSize > this.#maxBacklog && this.#isWaiting) this.#giveUp("it takes its content too slowly");
    else this.#sendOn();
  }

  endContent(trailers: Fields): void {
    this.#trailers = trailers;
    this.#sendOn();
  }

  /** The request was broken off. */
  cancel(): void {
    this.#giveUp("the request was not complete");
  }

  // ---- the answer, which nobody wants ----

  interim(): void {
    // Nor this.
  }

  answered(_head: unknown, whole: Uint8Array | undefined): void {
    if (whole !== undefined) this.#end(undefined);
  }

  content(): boolean {
    return true;
  }

  ended(): void {
    this.#end(undefined);
  }

  failed({ message }: Error): void {
    this.#end(message);
  }

  #sendOn(): void {
    while (!this.#isWaiting && !this.#isOver) {
      const piece = this.#backlog.shift();
      if (piece === undefined) {
        if (this.#trailers !== undefined) this.#exchange.endContent(this.#trailers);
        return;
      }
      this.#backlogSize -= piece.length;
      if (!this.#exchange.sendContent(piece)) this.#wait();
    }
  }

  #wait(): void {
    this.#isWaiting = true;
    void this.#exchange.writable().then(() => {
      this.#isWaiting = false;
      this.#sendOn();
    });
  }

  #giveUp(reason: string): void {
    if (this.#isOver) return;
    this.#exchange.cancel();
    this.#end(reason);
  }

  #end(failure: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#backlog.length = 0;
    this.#over(failure);
  }
}
