// One exchan of a reverse proxy: a request on its way to a backend, and the answer on its way back.
//
//   begin ──> attempt ── answered ──> streaming ── ended ──> over
//                ^  │                    └─ failed ────────> over: the answer is broken off
//                │  └─ failed ── may it be tried again? ── no ──> over: 502, 503 or 504
//                ├── pause, if there is one ───────────── yes
//                └─ switched ────────────────────────────> over: a tunnel has taken its place
//
// Nothing is kept but what a prop says: the client holds the backend back, and the backend the client.

import type { BackendFailure } from "../../backend/failure.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import type {
  NodeResponseHead,
  BackendRequest,
  TunnelHandler,
  TunnelBackend,
  WebBackend,
  WebExchange,
} from "../../http/web-backend.ts";
import type { Duplex } from "node:stream";
import type { ErrorLog } from "../../log/error-log.ts";
import { isPeerGone } from "../dispatch/fault.ts";
import { isStatusWithContent } from "../../http/content-rule.ts";
import { isTrailerName } from "../../http/field-names.ts";
import { joinedFields, type Fields } from "../../http/fields.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { sendStatusPage } from "../response/status-page.ts";
import { answerFromInside } from "./accel-redirect.ts";
import { AttemptSpan } from "./attempt-span.ts";
import { GatheredAnswer, mayBeGathered } from "./gathered-answer.ts";
import type { ResponseEdits } from "./response-edits.ts";
import type { MirroredRequest } from "./mirror.ts";
import { Pause } from "./pause.ts";
import { whyNotAgain, type RetryRules } from "./retries.ts";

/** What all exchans of a proxy share. */
export interface ProxyTraits {
  readonly log: ErrorLog;
  readonly answers: ResponseEdits;
  readonly retries: RetryRules;
  /** Does `x-accel-redirect` count? */
  readonly takesAccelRedirect: boolean;
  /** Of an answer's content, in bytes, that is gathered before any of it is sent; 0: none is. */
  readonly bufferedAnswer: number;
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

export class ProxiedExchan implements TunnelHandler {
  readonly #traits: ProxyTraits;
  readonly #backend: WebBackend;
  readonly #req: Request;
  readonly #resp: Response;
  readonly #request: BackendRequest;
  readonly #switching: Switching | undefined;
  /** Another one for each attempt: mirrors and earlier attempts keep theirs. */
  #wish: SelectionHint;
  #exchange: WebExchange | undefined;
  #attempts = 0;
  /** Before the next attempt. */
  #pause: Pause | undefined;
  /** The next attempt may have any node, those included that have failed. */
  #startsOver = false;
  /** Of the attempt that is under way, in a request that is traced. */
  #span: AttemptSpan | undefined;
  /** Of the answer that has come. */
  #status: number | undefined;
  #isAnswered = false;
  #isOver = false;
  /** All of the request's content, if it was gathered: it can be sent again. */
  readonly #content: Uint8Array | undefined;
  /** Its pieces, where some of them were taken already. */
  readonly #pieces: AsyncIterable<Uint8Array> | undefined;
  /** Some of the request's content has been taken from the client and given to a node. */
  #isContentSpent = false;
  /** The answer's content is of no known size: none of it may wait for more. */
  #isUnsized = false;
  /** The answer's content, while it is gathered. */
  #gathered: GatheredAnswer | undefined;

  constructor(
    traits: ProxyTraits,
    backend: WebBackend,
    request: BackendRequest,
    wish: SelectionHint,
    req: Request,
    resp: Response,
    content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    switching?: Switching,
  ) {
    this.#switching = switching;
    this.#traits = traits;
    this.#backend = backend;
    this.#request = request;
    this.#wish = wish;
    this.#req = req;
    this.#resp = resp;
    if (content instanceof Uint8Array) this.#content = content;
    else this.#pieces = content;
  }

  /**
   * `true` at once for a request whose content is there; else when its content has been passed on. Rejects if that
   * failed on the client's side. `mirrored` gets the content, too.
   */
  begin(mirrored?: MirroredRequest): boolean | Promise<boolean> {
    this.#req.onAbort(() => this.#giveUp());
    this.#attempt();
    if (this.#request.contentSize === 0) return true;
    if (this.#content === undefined) return this.#passContent(mirrored);
    if (this.#content.length > 0) mirrored?.sendContent(this.#content);
    mirrored?.endContent(this.#req.trailers);
    return true;
  }

  // ---- the answer ----

  interim(status: number, fields: Fields): void {
    if (this.#isOver || this.#resp.isHeadSent) return;
    const list: Record<string, string> = {};
    for (const [name, value] of joinedFields(fields)) if (isTrailerName(name)) list[name] = value;
    this.#guarded(() => this.#resp.interim(status, list));
  }

  answered(head: NodeResponseHead, whole: Uint8Array | undefined): void {
    if (this.#isOver) return;
    this.#status = head.status;
    const refusal = this.#traits.retries.statuses.has(head.status)
      ? this.#whyNotAgain()
      : "its status is not among them";
    if (refusal === undefined) return this.#tryAnother(`it answered ${head.status}`);
    this.#isAnswered = true;
    if (whole !== undefined) this.#endSpan();
    const inside = this.#traits.takesAccelRedirect ? head.fields.get("x-accel-redirect") : undefined;
    if (inside !== undefined) return this.#answerFromInside(head, inside);
    this.#guarded(() => {
      const { method } = this.#req;
      const resp = this.#resp;
      resp.status = head.status;
      if (head.reason !== undefined) resp.reason = head.reason;
      resp.setTrustedFields(this.#traits.answers.fieldList(head, this.#req, this.#request.authority));
      resp.neverIndexed = head.fields.neverIndexed;
      this.#tieClient();
      if (whole === undefined) return this.#beginContent(head);
      this.#isOver = true;
      this.#tellNode();
      if (method === "HEAD") {
        // What a GET would have brought.
        if (head.contentSize !== undefined) resp.contentSize = head.contentSize;
        resp.sendHead();
        resp.end();
      } else if (whole.length === 0 && !isStatusWithContent(head.status)) resp.end();
      else resp.send(whole);
    });
  }

  #answerFromInside(head: NodeResponseHead, path: string): void {
    this.#isOver = true;
    this.#tellNode();
    this.#endSpan();
    this.#exchange?.cancel();
    answerFromInside(this.#req, this.#resp, path, head).catch((error: unknown) => {
      this.#guarded(() => {
        throw error;
      });
    });
  }

  content(piece: Uint8Array, done?: () => void): boolean {
    if (this.#isOver) return true;
    const gathered = this.#gathered;
    if (gathered === undefined) return this.#guarded(() => this.#send(piece, done)) ?? true;
    if (gathered.add(piece)) return true;
    this.#gathered = undefined;
    return this.#guarded(() => this.#send(gathered.content)) ?? true;
  }

  ended(trailers: Fields): void {
    if (this.#isOver) return;
    this.#endSpan();
    this.#isOver = true;
    this.#tellNode();
    this.#guarded(() => {
      const gathered = this.#gathered;
      if (gathered !== undefined && trailers.count === 0) return this.#resp.send(gathered.content);
      if (gathered !== undefined) void this.#resp.echo(gathered.content);
      for (const [name, value] of joinedFields(trailers)) if (isTrailerName(name)) this.#resp.setTrailer(name, value);
      this.#resp.end();
    });
  }

  switched(head: NodeResponseHead, stream: Duplex): void {
    if (this.#isOver) return void stream.destroy();
    this.#endSpan();
    this.#isOver = true;
    this.#tellNode();
    const isTaken = this.#guarded(() => {
      this.#resp.setTrustedFields(this.#traits.answers.fieldList(head, this.#req, this.#request.authority));
      this.#tieClient();
      this.#switching?.switched(stream);
      return true;
    });
    if (isTaken !== true) stream.destroy();
  }

  failed(failure: BackendFailure): void {
    if (this.#isOver) return;
    this.#tellNode(failure.node);
    this.#endSpan(failure.code, failure.node);
    if (this.#isAnswered) {
      this.#isOver = true;
      this.#note(`${failure.message}; its answer is broken off`);
      return this.#resp.abort();
    }
    const refusal = this.#whyNotAgain(failure);
    if (refusal === undefined) return this.#tryAnother(failure.message, blamed(failure));
    this.#isOver = true;
    this.#note(`${failure.message}; answered with ${failure.status}, and not tried again: ${refusal}`);
    this.#guarded(() => sendStatusPage(this.#resp, failure.status));
  }

  #tellNode(node = this.#exchange?.node ?? ""): void {
    this.#resp.headListener?.nodeDone(node);
  }

  /** A client that is to stay with its node is told so, unless it knows already. */
  #tieClient(): void {
    const { stickyCookie } = this.#backend;
    const tag = this.#exchange?.tag;
    if (stickyCookie === undefined || tag === undefined || tag === this.#wish.stickTo) return;
    if (this.#traits.answers.decidesOn("set-cookie")) return;
    this.#resp.setCookie(stickyCookie, tag, { httpOnly: true, sameSite: "lax", secure: this.#req.scheme === "https" });
  }

  #beginContent(head: NodeResponseHead): void {
    const { bufferedAnswer } = this.#traits;
    if (mayBeGathered(head, bufferedAnswer)) {
      this.#gathered = new GatheredAnswer(bufferedAnswer);
      return;
    }
    if (head.contentSize !== undefined) this.#resp.contentSize = head.contentSize;
    else this.#isUnsized = true;
    // The head does not wait for the content: an event stream may be silent for long.
    this.#resp.sendHead();
  }

  #send(piece: Uint8Array, done?: () => void): boolean {
    const sent = this.#resp.echo(piece, done);
    const flushed = this.#isUnsized ? this.#resp.flush() : undefined;
    const taken = flushed ?? sent;
    if (taken === undefined) return true;
    taken.then(
      () => this.#exchange?.resume(),
      () => this.#giveUp(),
    );
    return false;
  }

  // ---- attempts ----

  #attempt(): void {
    const attempt = ++this.#attempts;
    const trace = this.#req.sampledTrace;
    if (trace !== undefined) this.#span = AttemptSpan.begin(trace, this.#request.method, attempt);
    const exchange = this.#begun();
    // It may have failed by now, and another may be under way.
    if (attempt !== this.#attempts) return;
    this.#exchange = exchange;
    const content = this.#content;
    if (content === undefined || this.#isOver) return;
    if (content.length > 0) exchange.sendContent(content);
    exchange.endContent(this.#req.trailers);
  }

  /** The attempt has an outcome: `error` says why it failed. */
  #endSpan(error?: string, node = this.#exchange?.node): void {
    this.#span?.end({ node, status: this.#status, error });
    this.#span = undefined;
  }

  #begun(): WebExchange {
    this.#resp.headListener?.nodeAsked();
    if (this.#switching === undefined) return this.#backend.exchange(this.#request, this.#wish, this);
    const { backend, protocol } = this.#switching;
    return backend.tunnel(this.#request, protocol, this.#wish, this);
  }

  /** `node` is not to be tried again; "" if it may. */
  #tryAnother(reason: string, node = this.#exchange?.node ?? ""): void {
    const { interval } = this.#traits.retries;
    const when = interval === 0 ? "" : ` in ${interval} ms`;
    this.#traits.log.info(`${this.#req.method} ${this.#req.uri}: ${reason}; another attempt is made${when}`, {
      requestId: this.#req.id,
    });
    this.#endSpan(reason);
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

  /** Why the request may not be sent once more; `undefined` if it may. */
  #whyNotAgain(failure?: BackendFailure): string | undefined {
    return whyNotAgain(this.#traits.retries, {
      method: this.#request.method,
      attempts: this.#attempts,
      failure,
      canReplay: !this.#isContentSpent,
      node: failure === undefined ? (this.#exchange?.node ?? "") : blamed(failure),
      refusal: (node) => this.#whyNoNode(node),
    });
  }

  /** Who waits between attempts may start over with all nodes. */
  #whyNoNode(failed: string): string | undefined {
    const { tried } = this.#wish;
    const refusal = this.#backend.whyNoRetry(failed === "" ? tried : [...tried, failed]);
    if (refusal === undefined || this.#traits.retries.interval === 0) return refusal;
    const refusalOfAll = this.#backend.whyNoRetry([]);
    this.#startsOver = refusalOfAll === undefined;
    return refusalOfAll;
  }

  // ---- the request's content ----

  async #passContent(mirrored: MirroredRequest | undefined): Promise<boolean> {
    try {
      const exchange = await this.#connected();
      this.#isContentSpent = exchange !== undefined;
      if (exchange === undefined || !(await this.#passPieces(exchange, mirrored))) {
        mirrored?.cancel();
        return true;
      }
      exchange.endContent(this.#req.trailers);
      mirrored?.endContent(this.#req.trailers);
      return true;
    } catch (error) {
      mirrored?.cancel();
      // The rest of a request that has been answered is nobody's.
      if (this.#isOver) return true;
      this.#giveUp();
      throw error;
    }
  }

  /** False: the answer was over before the content was. */
  async #passPieces(exchange: WebExchange, mirrored: MirroredRequest | undefined): Promise<boolean> {
    const { content } = this.#req;
    const isPassedOnce = mirrored === undefined && this.#pieces === undefined;
    for await (const piece of this.#pieces ?? content) {
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

  // ---- the end ----

  /** Nobody wants the answer any more. */
  #giveUp(): void {
    this.#isOver = true;
    this.#pause?.end();
    this.#endSpan("cancelled");
    this.#exchange?.cancel();
  }

  #note(message: string): void {
    this.#traits.log.warn(`${this.#req.method} ${this.#req.uri}: ${message}`, { requestId: this.#req.id });
  }

  /** Runs what may throw because of revisers, templates or a client that left, which is no matter of the backend's. */
  #guarded<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#giveUp();
      if (!isPeerGone(error)) {
        this.#traits.log.error(`failed at ${this.#req.method} ${this.#req.uri}`, { error, requestId: this.#req.id });
      }
      try {
        if (this.#resp.isHeadSent) this.#resp.abort();
        else sendStatusPage(this.#resp, 500);
      } catch (error) {
        // A reviser that looked at the head of this page failed, and a socket of the node has called us.
        this.#resp.fail(error);
      }
      return undefined;
    }
  }
}

/** The node that has failed. A kept connection that was closed says nothing against its node. */
function blamed({ isStale, node }: BackendFailure): string {
  return isStale ? "" : node;
}
