// One request to a program behind FastCGI or SCGI, and its response. The protocols differ in framing; the content is
// CGI.

import type { Buffer } from "node:buffer";
import type { NodeOwner } from "../backend/backend.ts";
import type { NodeConn, ConnUser } from "../backend/node-conn.ts";
import { NodeExchan } from "../http/node-exchan.ts";
import type { ConnPool } from "../backend/conn-pool.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type { Node } from "../backend/node.ts";
import type { ResponseHandler } from "../http/web-backend.ts";
import { noFields } from "../http/fields.ts";
import type { HeadLimits } from "../http/head-limits.ts";
import { joinedCopy } from "../net/input.ts";
import { contentMayFollow } from "../http/content-rule.ts";
import { readCgiHead, type CgiNodeResponseHead } from "./node-response-head.ts";
import type { CgiRequest } from "./programs.ts";

/** Settings that the connections and requests of a backend share. */
export interface CgiTraits {
  readonly settings: HeadLimits & {
    /** Statuses of responses that count as failures of a node. */
    readonly failStatuses: readonly number[];
  };
}

export type CgiConn = NodeConn<CgiTraits>;
export type CgiPool = ConnPool<CgiTraits>;

/** The result of processing input: the end of the response, or why it is malformed. */
export type InputOutcome = "more" | "complete" | { readonly failure: string };

export abstract class CgiNodeExchan extends NodeExchan<CgiPool> implements ConnUser {
  protected readonly request: CgiRequest;
  #conn: CgiConn | undefined;
  #isReused = false;
  /** Output of the program that is yet to be looked at. */
  #output: Buffer[] = [];
  #head: CgiNodeResponseHead | undefined;
  /** Content that is still to come, in bytes, where the program has said how much there is. */
  #left = Infinity;

  constructor(request: CgiRequest, wish: SelectionHint, taker: ResponseHandler, owner: NodeOwner<CgiPool>) {
    super(request.contentSize, wish, taker, owner);
    this.request = request;
  }

  /** The start of the request, including its parameters. */
  protected abstract encodeBegin(): Buffer;
  /** The framing before a piece of content, and how much of the piece it covers; without a piece, an empty string. */
  protected abstract encodePiece(size: number): { readonly before: string; readonly size: number };
  /** What ends its content. */
  protected abstract encodeEnd(): string;
  /** Removes the framing of input, and passes the output to `produced`. */
  protected abstract unwrap(bytes: Buffer): InputOutcome;
  /** Whether a response ends when the node closes the connection. */
  protected abstract readonly endsByClose: boolean;
  /** Whether the connection can take another request after this one is complete. */
  protected abstract readonly isReusable: boolean;

  // ---- towards the node ----

  protected dial({ pool }: Node<CgiPool>): void {
    const conn = (this.#conn = pool.take(this.wish.from));
    this.#isReused = conn.requests > 0;
    conn.begin(this);
  }

  connected(): void {
    const conn = this.#conn;
    if (conn === undefined) return;
    const begin = this.encodeBegin();
    if (this.request.contentSize === 0) {
      this.isRequestSent = true;
      conn.output.writeBytes("", begin, this.encodeEnd());
    } else conn.output.writeBytes("", begin, "");
    this.opened();
  }

  protected writeContent(piece: Uint8Array): boolean {
    const conn = this.#conn;
    if (conn === undefined) return true;
    for (let at = 0; at < piece.length;) {
      const { before, size } = this.encodePiece(piece.length - at);
      conn.output.writeBytes(before, piece.subarray(at, at + size), "");
      at += size;
    }
    conn.settle();
    return !conn.output.isBlocked;
  }

  protected async drained(): Promise<void> {
    await this.#conn?.output.drained().catch(noop);
  }

  protected writeEnd(): void {
    const conn = this.#conn;
    if (conn === undefined) return;
    conn.output.writeText(this.encodeEnd());
    conn.settle();
  }

  protected resumed(): void {
    this.#conn?.resume();
  }

  // ---- what the connection tells ----

  advance(): void {
    const conn = this.#conn;
    if (conn === undefined || this.isHeld || this.state === "over") return;
    const { input } = conn;
    if (input.size === 0) return;
    const bytes = input.bytes.subarray(input.at);
    input.at = input.bytes.length;
    const outcome = this.unwrap(bytes);
    const output = this.#takeOutput(conn);
    if (typeof outcome === "object") this.fail("HEMI_BACKEND_BROKEN", outcome.failure);
    else this.#deliver(output, outcome === "complete");
  }

  endedByClose(): boolean {
    if (!this.endsByClose || this.state === "over" || this.state === "dialing") return false;
    this.#deliver(undefined, true);
    return true;
  }

  timedOut(reason: string): void {
    this.fail("HEMI_TIMEOUT", reason);
  }

  broken(reason: string | undefined): void {
    // All the content that was announced is here: a program that did not want the request may leave like that.
    if (this.state === "content" && this.#left === 0) return this.#complete();
    this.lostConn(reason, this.#isReused && this.state === "head" && this.#output.length === 0);
  }

  /** The program has written this output. */
  protected produced(piece: Buffer): void {
    if (piece.length > 0) this.#output.push(piece);
  }

  /** All that the program has written, in one piece, which may be kept. */
  #takeOutput(conn: CgiConn): Buffer | undefined {
    const output = this.#output;
    const [first] = output;
    if (first === undefined) return undefined;
    this.#output = [];
    return output.length === 1 ? conn.input.owned(first) : joinedCopy(output);
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
    if (typeof head === "string") return this.fail("HEMI_BACKEND_BROKEN", head);
    if (head === undefined || output === undefined) {
      if (isComplete) return this.fail("HEMI_BACKEND_BROKEN", "it ended without a complete head of an answer");
      // It is read again from its beginning, when there is more.
      if (output !== undefined) this.#output = [output];
      return;
    }
    this.#head = head;
    this.state = "content";
    const hasContent = contentMayFollow(this.request.method, head.status);
    this.#left = hasContent ? (head.contentSize ?? Infinity) : 0;
    const rest = output.subarray(head.size);
    if (!isComplete) {
      this.taker.answered(head, undefined);
      if (rest.length > 0) this.#deliverContent(rest);
      return;
    }
    const whole = rest.subarray(0, this.#left);
    if (hasContent && head.contentSize !== undefined && whole.length < head.contentSize) {
      return this.fail("HEMI_BACKEND_BROKEN", missing(head.contentSize - whole.length));
    }
    this.#finish(conn, head);
    this.taker.answered(head, whole);
  }

  #deliverContent(output: Buffer): void {
    if (this.state !== "content") return;
    // What a program writes beyond the length that it gave, or where there is to be nothing, is left out, as web
    // servers do.
    const piece = output.subarray(0, this.#left);
    this.#left -= piece.length;
    if (piece.length > 0 && !this.taker.content(piece)) this.isHeld = true;
  }

  #complete(): void {
    const conn = this.#conn;
    const head = this.#head;
    if (this.state !== "content" || conn === undefined || head === undefined) return;
    if (this.#left > 0 && this.#left < Infinity) return this.fail("HEMI_BACKEND_BROKEN", missing(this.#left));
    this.isHeld = false;
    this.#finish(conn, head);
    this.taker.ended(noFields);
  }

  // ---- the end ----

  #finish(conn: CgiConn, { status }: CgiNodeResponseHead): void {
    const isReusable = this.isReusable && this.isRequestSent && !conn.output.isBlocked;
    this.finish(status, conn.traits.settings.failStatuses, isReusable);
  }

  protected release(isReusable: boolean): void {
    const conn = this.#conn;
    this.#conn = undefined;
    if (isReusable) conn?.finished();
    else conn?.destroy();
  }
}

function missing(size: number): string {
  return `its content is ${size} bytes shorter than it said`;
}

function noop(): void {}
