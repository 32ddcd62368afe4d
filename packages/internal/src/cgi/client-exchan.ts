// One request to a program behind FastCGI or SCGI, and its answer. The two differ in how bytes are wrapped; what is in them is CGI.
//
//   queued ──> dialing ──> head ──> content ──> over
//      └──────────┴─────────┴─────────┴───────> over: failed, or cancelled

import type { NodeOwner, Outcome } from "../backend/backend.ts";
import type { ClientConn, ConnUser } from "../backend/client-conn.ts";
import type { ConnPool } from "../backend/conn-pool.ts";
import { BackendFailure, type FailureCode } from "../backend/failure.ts";
import type { Waiter } from "../backend/node-group.ts";
import type { NodeWish } from "../backend/node-wish.ts";
import type { Node } from "../backend/node.ts";
import type { AnswerTaker, WebExchange } from "../backend/web-backend.ts";
import { noFields } from "../web/fields.ts";
import { readCgiHead, type CgiAnswerHead, type CgiHeadLimits } from "./answer-head.ts";
import type { CgiRequest } from "./programs.ts";

/** What the connections and requests of a backend share. */
export interface CgiTraits {
  readonly settings: CgiHeadLimits & {
    /** Statuses of answers that speak against a node. */
    readonly failStatuses: readonly number[];
  };
}

export type CgiConn = ClientConn<CgiTraits>;
export type CgiPool = ConnPool<CgiTraits>;

/** What came of some input: the end of the answer, or why it is broken. */
export type InputOutcome = "more" | "complete" | { readonly failure: string };

export abstract class CgiClientExchan implements WebExchange, Waiter<CgiPool>, ConnUser {
  readonly wish: NodeWish;
  isRequestSent = false;
  isHeld = false;
  protected readonly request: CgiRequest;
  readonly #taker: AnswerTaker;
  readonly #owner: NodeOwner<CgiPool>;
  #state: "queued" | "dialing" | "head" | "content" | "over" = "queued";
  #node: Node<CgiPool> | undefined;
  #conn: CgiConn | undefined;
  #isReused = false;
  /** Content that came before there was a connection to send it by. */
  #early: Uint8Array | undefined;
  #connecting: PromiseWithResolvers<void> | undefined;
  /** Of the request's content, in bytes. */
  #sent = 0;
  /** Output of the program that is yet to be looked at. */
  #output: Buffer[] = [];
  #head: CgiAnswerHead | undefined;
  /** Content that is still to come, in bytes, where the program has said how much there is. */
  #left = Infinity;

  constructor(request: CgiRequest, wish: NodeWish, taker: AnswerTaker, owner: NodeOwner<CgiPool>) {
    this.request = request;
    this.wish = wish;
    this.#taker = taker;
    this.#owner = owner;
  }

  /** What begins the request, its params among it. */
  protected abstract encodeBegin(): Buffer;
  /** What stands before a piece of its content, and how much of the piece it covers; for all of them, nothing. */
  protected abstract encodePiece(size: number): { readonly before: string; readonly size: number };
  /** What ends its content. */
  protected abstract encodeEnd(): string;
  /** Takes input off what wraps it, and gives output on by `produced`. */
  protected abstract unwrap(bytes: Buffer): InputOutcome;
  /** The node has closed the connection: is that how answers end? */
  protected abstract readonly endsByClose: boolean;
  /** The connection can take another request, now that all of this one is over. */
  protected abstract readonly isReusable: boolean;

  get node(): string | undefined {
    return this.#node?.id;
  }

  get tag(): string | undefined {
    return this.#node?.tag;
  }

  // ---- towards the node ----

  entered(node: Node<CgiPool>): void {
    this.#node = node;
    this.#state = "dialing";
    const conn = (this.#conn = node.pool.take(this.wish.from));
    this.#isReused = conn.requests > 0;
    conn.begin(this);
  }

  refused(failure: BackendFailure): void {
    this.#state = "over";
    this.#connecting?.resolve();
    this.#taker.failed(failure);
  }

  connected(): void {
    const conn = this.#conn;
    if (conn === undefined) return;
    this.#state = "head";
    const begin = this.encodeBegin();
    if (this.request.contentSize === 0) {
      this.isRequestSent = true;
      conn.output.writeBytes("", begin, this.encodeEnd());
    } else conn.output.writeBytes("", begin, "");
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.#write(conn, early);
    this.#connecting?.resolve();
  }

  sendContent(piece: Uint8Array): boolean {
    if (this.#state === "over" || this.isRequestSent) return true;
    this.#sent += piece.length;
    if (this.#sent > (this.request.contentSize ?? Infinity)) {
      this.#fail("HEMI_BACKEND_BROKEN", "the request has more content than it announced");
      return true;
    }
    const conn = this.#conn;
    if (conn === undefined || this.#state === "dialing") {
      this.#early = this.#early === undefined ? piece : Buffer.concat([this.#early, piece]);
      return false;
    }
    this.#write(conn, piece);
    conn.settle();
    return !conn.output.isBlocked;
  }

  writable(): Promise<void> {
    if (this.#state === "queued" || this.#state === "dialing") {
      this.#connecting ??= Promise.withResolvers<void>();
      return this.#connecting.promise;
    }
    // Why there is no use in sending more, the taker is told.
    return this.#conn === undefined ? Promise.resolve() : this.#conn.output.drained().catch(noop);
  }

  endContent(): void {
    if (this.#state === "over" || this.isRequestSent) return;
    const { contentSize } = this.request;
    if (contentSize !== undefined && this.#sent < contentSize) {
      return this.#fail("HEMI_BACKEND_BROKEN", "the request has less content than it announced");
    }
    const conn = this.#conn;
    if (conn === undefined || this.#state === "dialing") {
      void this.writable().then(() => this.endContent());
      return;
    }
    conn.output.writeText(this.encodeEnd());
    this.isRequestSent = true;
    conn.output.flush();
    conn.settle();
  }

  resume(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#conn?.resume();
  }

  cancel(): void {
    if (this.#state === "over") return;
    if (this.#state === "queued") this.#owner.forget(this);
    this.#leave(false, "unknown");
  }

  // ---- what the connection tells ----

  advance(): void {
    const conn = this.#conn;
    if (conn === undefined || this.isHeld || this.#state === "over") return;
    const { input } = conn;
    if (input.at === input.bytes.length) return;
    const bytes = input.bytes.subarray(input.at);
    input.at = input.bytes.length;
    const outcome = this.unwrap(bytes);
    const output = this.#takeOutput(conn);
    if (typeof outcome === "object") this.#fail("HEMI_BACKEND_BROKEN", outcome.failure);
    else this.#deliver(output, outcome === "complete");
  }

  endedByClose(): boolean {
    if (!this.endsByClose || this.#state === "over" || this.#state === "dialing") return false;
    this.#deliver(undefined, true);
    return true;
  }

  timedOut(reason: string): void {
    this.#fail("HEMI_TIMEOUT", reason);
  }

  broken(reason: string | undefined): void {
    if (this.#state === "dialing") {
      return this.#fail("HEMI_BACKEND_DIAL", `it cannot be connected to: ${reason ?? "it closed the connection"}`);
    }
    const what = this.#head === undefined ? "before its answer came" : "before its answer was complete";
    const isStale = this.#isReused && this.#state === "head" && this.#output.length === 0;
    this.#fail("HEMI_BACKEND_BROKEN", `the connection broke ${what}: ${reason ?? "it was closed"}`, isStale);
  }

  /** The program has written this. */
  protected produced(piece: Buffer): void {
    if (piece.length > 0) this.#output.push(piece);
  }

  #write(conn: CgiConn, piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      const { before, size } = this.encodePiece(piece.length - at);
      conn.output.writeBytes(before, piece.subarray(at, at + size), "");
      at += size;
    }
  }

  /** All that the program has written, in one piece, which may be kept. */
  #takeOutput(conn: CgiConn): Buffer | undefined {
    const output = this.#output;
    const [first] = output;
    if (first === undefined) return undefined;
    this.#output = [];
    return output.length === 1 ? conn.own(first) : Buffer.concat(output);
  }

  #deliver(output: Buffer | undefined, isComplete: boolean): void {
    const head = this.#head;
    if (head === undefined) return this.#readHead(output, isComplete);
    if (output !== undefined) this.#deliverContent(output);
    if (isComplete) this.#complete();
  }

  #readHead(output: Buffer | undefined, isComplete: boolean): void {
    const conn = this.#conn;
    if (conn === undefined) return;
    const head = output === undefined ? undefined : readCgiHead(output, conn.traits.settings);
    if (typeof head === "string") return this.#fail("HEMI_BACKEND_BROKEN", head);
    if (head === undefined || output === undefined) {
      if (isComplete) return this.#fail("HEMI_BACKEND_BROKEN", "it ended without a complete head of an answer");
      // It is read again from its beginning, when there is more.
      if (output !== undefined) this.#output = [output];
      return;
    }
    this.#head = head;
    this.#state = "content";
    const hasNoContent = this.request.method === "HEAD" || head.status === 204 || head.status === 304;
    this.#left = hasNoContent ? 0 : (head.contentSize ?? Infinity);
    const rest = output.subarray(head.size);
    if (!isComplete) {
      this.#taker.answered(head, undefined);
      if (rest.length > 0) this.#deliverContent(rest);
      return;
    }
    const whole = rest.subarray(0, this.#left);
    if (!hasNoContent && head.contentSize !== undefined && whole.length < head.contentSize) {
      return this.#fail("HEMI_BACKEND_BROKEN", missing(head.contentSize - whole.length));
    }
    this.#finish(conn, head);
    this.#taker.answered(head, whole);
  }

  #deliverContent(output: Buffer): void {
    if (this.#state !== "content") return;
    // What a program writes beyond the length that it gave, or where there is to be nothing, is left out, as web servers do.
    const piece = output.subarray(0, this.#left);
    this.#left -= piece.length;
    if (piece.length > 0 && !this.#taker.content(piece)) this.isHeld = true;
  }

  #complete(): void {
    const conn = this.#conn;
    const head = this.#head;
    if (this.#state !== "content" || conn === undefined || head === undefined) return;
    if (this.#left > 0 && this.#left < Infinity) return this.#fail("HEMI_BACKEND_BROKEN", missing(this.#left));
    this.isHeld = false;
    this.#finish(conn, head);
    this.#taker.ended(noFields);
  }

  // ---- the end ----

  #finish(conn: CgiConn, { status }: CgiAnswerHead): void {
    this.#leave(
      this.isReusable && this.isRequestSent && !conn.output.isBlocked,
      conn.traits.settings.failStatuses.includes(status) ? { failure: `it answered ${status}` } : "good",
    );
  }

  #leave(isReusable: boolean, outcome: Outcome): void {
    const conn = this.#conn;
    const node = this.#node;
    this.#state = "over";
    this.#conn = undefined;
    this.#early = undefined;
    this.#connecting?.resolve();
    if (isReusable) conn?.finished();
    else conn?.destroy();
    if (node !== undefined) this.#owner.leave(node, outcome);
  }

  #fail(code: FailureCode, reason: string, isStale = false): void {
    if (this.#state === "over") return;
    const wasSent = this.#state === "head" || this.#state === "content";
    const failure = new BackendFailure(code, this.#node?.id ?? "", reason, { wasSent, isStale });
    // A kept connection that was closed says nothing against its node.
    this.#leave(false, isStale ? "unknown" : { failure: reason });
    this.#taker.failed(failure);
  }
}

function missing(size: number): string {
  return `its content is ${size} bytes shorter than it said`;
}

function noop(): void {}
