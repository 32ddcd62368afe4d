// A proxied request on its way to the nodes of a backend: one attempt after the other, and the content.
//
//   begin ──> attempt ── the handler is told of its outcome ──> over
//                ^             └─ tryAgain ── refused ────────> over
//                └── pause, if there is one ───┘
//
// Nothing of the content is kept unless it was gathered before: as soon as a node has some of it, no other is tried.

import type { BackendFailure } from "../../backend/failure.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import type { Duplex } from "node:stream";
import type { BackendRequest, TunnelBackend, TunnelHandler, WebBackend, WebExchange } from "../../http/web-backend.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Request } from "../request/request.ts";
import type { ProgressListener } from "../response/tracked-response.ts";
import { AttemptSpan } from "./attempt-span.ts";
import type { MirroredRequest } from "./mirror.ts";
import { Pause } from "./pause.ts";
import { whyNotAgain, type RetryRules } from "./retries.ts";

/** What the attempts of all exchans of a proxy share. */
export interface AttemptTraits {
  readonly log: ErrorLog;
  readonly retries: RetryRules;
}

/** What the client would rather speak than HTTP. */
export interface Switching {
  readonly protocol: string;
  /** Opens the tunnel. */
  readonly backend: TunnelBackend;
  /**
   * The node has left HTTP: tells the client so, with the fields that the response has by now, and takes the stream on.
   */
  readonly switched: (stream: Duplex) => void;
}

/** What is asked of which backend, for whom. */
export interface AttemptedRequest {
  readonly backend: WebBackend;
  readonly request: BackendRequest;
  readonly wish: SelectionHint;
  readonly req: Request;
  /** All of the request's content, if it was gathered: it can be sent again; or its pieces, if some were taken. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly switching: Switching | undefined;
  /** Hears of the nodes that are asked. */
  readonly listener: ProgressListener | undefined;
}

export class Attempts {
  readonly #traits: AttemptTraits;
  readonly #asked: AttemptedRequest;
  /** Is told of the outcome of each attempt. */
  readonly #handler: TunnelHandler;
  /** Another one for each attempt: mirrors and earlier attempts keep theirs. */
  #wish: SelectionHint;
  #exchange: WebExchange | undefined;
  #count = 0;
  /** Before the next attempt. */
  #pause: Pause | undefined;
  /** The next attempt may have any node, those included that have failed. */
  #startsOver = false;
  /** Of the attempt that is under way, in a request that is traced. */
  #span: AttemptSpan | undefined;
  /** Of the answer that has come. */
  #status: number | undefined;
  /** Some of the request's content has been taken from the client and given to a node. */
  #isContentSpent = false;
  #isOver = false;

  constructor(traits: AttemptTraits, asked: AttemptedRequest, handler: TunnelHandler) {
    this.#traits = traits;
    this.#asked = asked;
    this.#handler = handler;
    this.#wish = asked.wish;
  }

  /** Nothing of what the backend still tells counts. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Of the node that has answered: what a client is to be told that shall stay with it, and does not know yet. */
  get newTag(): string | undefined {
    const tag = this.#exchange?.tag;
    return tag === this.#wish.stickTo ? undefined : tag;
  }

  /**
   * `true` at once for a request whose content is there; else when its content has been passed on. Rejects if that
   * failed on the client's side. `mirrored` gets the content, too.
   */
  begin(mirrored?: MirroredRequest): boolean | Promise<boolean> {
    const { request, req, content } = this.#asked;
    this.#attempt();
    if (request.contentSize === 0) return true;
    if (!(content instanceof Uint8Array)) return this.#passContent(content, mirrored);
    if (content.length > 0) mirrored?.sendContent(content);
    mirrored?.endContent(req.trailers);
    return true;
  }

  /** The client takes more of the answer. */
  resume(): void {
    this.#exchange?.resume();
  }

  /** A node has answered, which ends the attempt if its answer is whole: then call `endSpan`. */
  answered(status: number): void {
    this.#status = status;
  }

  /** The answer is complete, or goes on without HTTP. */
  complete(): void {
    this.endSpan();
    this.#isOver = true;
    this.#asked.listener?.nodeDone(this.#exchange?.node ?? "");
  }

  /** A node has failed. */
  failed({ code, node }: BackendFailure): void {
    this.#asked.listener?.nodeDone(node);
    this.endSpan(code, node);
  }

  /** No other attempt follows. */
  finish(): void {
    this.#isOver = true;
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    this.#isOver = true;
    this.#pause?.end();
    this.endSpan("cancelled");
    this.#exchange?.cancel();
  }

  /** The attempt has an outcome: `error` says why it failed. */
  endSpan(error?: string, node = this.#exchange?.node): void {
    this.#span?.end({ node, status: this.#status, error });
    this.#span = undefined;
  }

  // ---- attempts ----

  #attempt(): void {
    const { req, request, content } = this.#asked;
    const attempt = ++this.#count;
    const trace = req.sampledTrace;
    if (trace !== undefined) this.#span = AttemptSpan.begin(trace, request.method, attempt);
    const exchange = this.#begun();
    // It may have failed by now, and another may be under way.
    if (attempt !== this.#count) return;
    this.#exchange = exchange;
    if (!(content instanceof Uint8Array) || this.#isOver) return;
    if (content.length > 0) exchange.sendContent(content);
    exchange.endContent(req.trailers);
  }

  #begun(): WebExchange {
    const { backend, request, switching, listener } = this.#asked;
    listener?.nodeAsked();
    if (switching === undefined) return backend.exchange(request, this.#wish, this.#handler);
    return switching.backend.tunnel(request, switching.protocol, this.#wish, this.#handler);
  }

  /**
   * Makes another attempt, at once or after a pause, if the request may be sent once more; otherwise returns why it may
   * not. `reason`: why the last one does not do. `failure`: `undefined` if a node has answered.
   */
  tryAgain(reason: string, failure?: BackendFailure): string | undefined {
    const node = failure === undefined ? (this.#exchange?.node ?? "") : blamed(failure);
    const refusal = whyNotAgain(this.#traits.retries, {
      method: this.#asked.request.method,
      attempts: this.#count,
      failure,
      canReplay: !this.#isContentSpent,
      node,
      refusal: (node) => this.#whyNoNode(node),
    });
    if (refusal === undefined) this.#tryAnother(reason, node);
    return refusal;
  }

  /** `node` is not to be tried again; "" if it may. */
  #tryAnother(reason: string, node: string): void {
    const { req } = this.#asked;
    const { interval } = this.#traits.retries;
    const when = interval === 0 ? "" : ` in ${interval} ms`;
    this.#traits.log.info(`${req.method} ${req.uri}: ${reason}; another attempt is made${when}`, {
      requestId: req.id,
    });
    this.endSpan(reason);
    this.#status = undefined;
    this.#exchange?.cancel();
    if (this.#startsOver) this.#wish = { ...this.#wish, tried: [] };
    else if (node !== "") this.#wish = { ...this.#wish, tried: [...this.#wish.tried, node] };
    this.#startsOver = false;
    if (interval === 0) return this.#attempt();
    this.#pause = new Pause(interval, () => {
      this.#pause = undefined;
      this.#attempt();
    });
  }

  /** Who waits between attempts may start over with all nodes. */
  #whyNoNode(failed: string): string | undefined {
    const { backend } = this.#asked;
    const { tried } = this.#wish;
    const refusal = backend.whyNoRetry(failed === "" ? tried : [...tried, failed]);
    if (refusal === undefined || this.#traits.retries.interval === 0) return refusal;
    const refusalOfAll = backend.whyNoRetry([]);
    this.#startsOver = refusalOfAll === undefined;
    return refusalOfAll;
  }

  // ---- the content ----

  /** `pieces`: all of it, if some was taken from the request already. */
  async #passContent(
    pieces: AsyncIterable<Uint8Array> | undefined,
    mirrored: MirroredRequest | undefined,
  ): Promise<boolean> {
    const { req } = this.#asked;
    try {
      const exchange = await this.#connected();
      this.#isContentSpent = exchange !== undefined;
      if (exchange === undefined || !(await this.#passPieces(pieces, exchange, mirrored))) {
        mirrored?.cancel();
        return true;
      }
      exchange.endContent(req.trailers);
      mirrored?.endContent(req.trailers);
      return true;
    } catch (error) {
      mirrored?.cancel();
      // The rest of a request that has been answered is nobody's.
      if (this.#isOver) return true;
      this.cancel();
      throw error;
    }
  }

  /** False: the answer was over before the content was. */
  async #passPieces(
    pieces: AsyncIterable<Uint8Array> | undefined,
    exchange: WebExchange,
    mirrored: MirroredRequest | undefined,
  ): Promise<boolean> {
    const { content } = this.#asked.req;
    const isPassedOnce = mirrored === undefined && pieces === undefined;
    for await (const piece of pieces ?? content) {
      mirrored?.sendContent(piece);
      if (!exchange.sendContent(piece, isPassedOnce ? content.lent(piece) : undefined)) await exchange.writable();
      // Who has answered may still want the rest, but who has gone does not.
      if (this.#isOver) return false;
    }
    return true;
  }

  /** The exchange that has a connection: before that, other nodes may be tried, and the content stays where it is. */
  async #connected(): Promise<WebExchange | undefined> {
    for (;;) {
      await this.#pause?.over;
      const exchange = this.#exchange;
      await exchange?.writable();
      if (this.#isOver) return undefined;
      if (exchange === this.#exchange && this.#pause === undefined) return exchange;
    }
  }
}

/** The node that has failed. A kept connection that was closed says nothing against its node. */
function blamed({ isStale, node }: BackendFailure): string {
  return isStale ? "" : node;
}
