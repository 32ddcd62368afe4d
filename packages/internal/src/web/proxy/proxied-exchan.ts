// One exchan of a reverse proxy: a request that goes to a backend by `Attempts`, and the answer on its way back.
//
//   begin ──> attempts ── answered ──> streaming ── ended ──> over
//                │           │             └─ failed ───────> over: the answer is broken off
//                │           └─ from inside, or whole ──────> over
//                ├─ failed, and not tried again ────────────> over: 502, 503 or 504
//                └─ switched ───────────────────────────────> over: a tunnel has taken its place
//
// Nothing is kept but what a prop says: the client holds the backend back, and the backend the client.

import type { BackendFailure } from "../../backend/failure.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import type { BackendRequest, NodeResponseHead, TunnelHandler, WebBackend } from "../../http/web-backend.ts";
import type { Duplex } from "node:stream";
import { isPeerGone } from "../dispatch/fault.ts";
import { isStatusWithContent } from "../../http/content-rule.ts";
import { isTrailerName } from "../../http/field-names.ts";
import { joinedFields, type Fields } from "../../http/fields.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { sendStatusPage } from "../response/status-page.ts";
import { answerFromInside } from "./accel-redirect.ts";
import { Attempts, type AttemptTraits, type Switching } from "./attempts.ts";
import { GatheredAnswer, mayBeGathered } from "./gathered-answer.ts";
import type { ResponseEdits } from "./response-edits.ts";
import type { MirroredRequest } from "./mirror.ts";

/** What all exchans of a proxy share. */
export interface ProxyTraits extends AttemptTraits {
  readonly answers: ResponseEdits;
  /** Does `x-accel-redirect` count? */
  readonly takesAccelRedirect: boolean;
  /** Of an answer's content, in bytes, that is gathered before any of it is sent; 0: none is. */
  readonly bufferedAnswer: number;
}

export class ProxiedExchan implements TunnelHandler {
  readonly #traits: ProxyTraits;
  readonly #backend: WebBackend;
  readonly #req: Request;
  readonly #resp: Response;
  readonly #request: BackendRequest;
  readonly #switching: Switching | undefined;
  readonly #attempts: Attempts;
  #isAnswered = false;
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
    this.#traits = traits;
    this.#backend = backend;
    this.#request = request;
    this.#req = req;
    this.#resp = resp;
    this.#switching = switching;
    const listener = resp.progressListener;
    this.#attempts = new Attempts(traits, { backend, request, wish, req, content, switching, listener }, this);
  }

  /** As that of `Attempts`. */
  begin(mirrored?: MirroredRequest): boolean | Promise<boolean> {
    this.#req.onAbort(() => this.#attempts.cancel());
    return this.#attempts.begin(mirrored);
  }

  // ---- the answer ----

  interim(status: number, fields: Fields): void {
    if (this.#attempts.isOver || this.#resp.isHeadSent) return;
    const list: Record<string, string> = {};
    for (const [name, value] of joinedFields(fields)) if (isTrailerName(name)) list[name] = value;
    this.#guarded(() => this.#resp.interim(status, list));
  }

  answered(head: NodeResponseHead, whole: Uint8Array | undefined): void {
    if (this.#attempts.isOver) return;
    const { retries, takesAccelRedirect } = this.#traits;
    this.#attempts.answered(head.status);
    const isFailure = retries.statuses.has(head.status);
    if (isFailure && this.#attempts.tryAgain(`it answered ${head.status}`) === undefined) return;
    this.#isAnswered = true;
    if (whole !== undefined) this.#attempts.endSpan();
    const inside = takesAccelRedirect ? head.fields.get("x-accel-redirect") : undefined;
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
      this.#attempts.complete();
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
    this.#attempts.complete();
    this.#attempts.cancel();
    answerFromInside(this.#req, this.#resp, path, head).catch((error: unknown) => {
      this.#guarded(() => {
        throw error;
      });
    });
  }

  content(piece: Uint8Array, done?: () => void): boolean {
    if (this.#attempts.isOver) return true;
    const gathered = this.#gathered;
    if (gathered === undefined) return this.#guarded(() => this.#send(piece, done)) ?? true;
    if (gathered.add(piece)) return true;
    this.#gathered = undefined;
    return this.#guarded(() => this.#send(gathered.content)) ?? true;
  }

  ended(trailers: Fields): void {
    if (this.#attempts.isOver) return;
    this.#attempts.complete();
    this.#guarded(() => {
      const gathered = this.#gathered;
      if (gathered !== undefined && trailers.count === 0) return this.#resp.send(gathered.content);
      if (gathered !== undefined) void this.#resp.echo(gathered.content);
      for (const [name, value] of joinedFields(trailers)) if (isTrailerName(name)) this.#resp.setTrailer(name, value);
      this.#resp.end();
    });
  }

  switched(head: NodeResponseHead, stream: Duplex): void {
    if (this.#attempts.isOver) return void stream.destroy();
    this.#attempts.complete();
    const isTaken = this.#guarded(() => {
      this.#resp.setTrustedFields(this.#traits.answers.fieldList(head, this.#req, this.#request.authority));
      this.#tieClient();
      this.#switching?.switched(stream);
      return true;
    });
    if (isTaken !== true) stream.destroy();
  }

  failed(failure: BackendFailure): void {
    if (this.#attempts.isOver) return;
    this.#attempts.failed(failure);
    if (this.#isAnswered) {
      this.#attempts.finish();
      this.#note(`${failure.message}; its answer is broken off`);
      return this.#resp.abort();
    }
    const refusal = this.#attempts.tryAgain(failure.message, failure);
    if (refusal === undefined) return;
    this.#attempts.finish();
    this.#note(`${failure.message}; answered with ${failure.status}, and not tried again: ${refusal}`);
    this.#guarded(() => sendStatusPage(this.#resp, failure.status));
  }

  /** A client that is to stay with its node is told so, unless it knows already. */
  #tieClient(): void {
    const { stickyCookie } = this.#backend;
    const tag = this.#attempts.newTag;
    if (stickyCookie === undefined || tag === undefined) return;
    if (this.#traits.answers.decidesOn("set-cookie")) return;
    this.#resp.setCookie(stickyCookie, tag, { httpOnly: true, sameSite: "lax", secure: this.#req.scheme === "https" });
  }

  #beginContent(head: NodeResponseHead): void {
    const { bufferedAnswer } = this.#traits;
    // What comes after a head for HEAD says nothing of the content that GET would have.
    if (this.#req.method !== "HEAD" && mayBeGathered(head, bufferedAnswer)) {
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
      () => this.#attempts.resume(),
      () => this.#attempts.cancel(),
    );
    return false;
  }

  #note(message: string): void {
    this.#traits.log.warn(`${this.#req.method} ${this.#req.uri}: ${message}`, { requestId: this.#req.id });
  }

  /** Runs what may throw because of revisers, templates or a client that left, which is no matter of the backend's. */
  #guarded<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#attempts.cancel();
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
