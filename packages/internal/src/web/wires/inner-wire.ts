// The wire of a request that is made inside of the process, without a socket: what such requests have in common. Who
// made it is given the head and the content of the answer.

import { quietly } from "@hemi/common";
import { ExchanError } from "../../http/exchan-error.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { responseHasContent } from "../../http/content-rule.ts";
import type { EndReason } from "../../http/end-reason.ts";
import type {
  AbortListener,
  EndListener,
  ExchanCounter,
  ExchanWire,
  FileRegion,
  RequestHead,
  ResponseHead,
} from "../../http/exchan.ts";
import { noFields } from "../../http/fields.ts";
import { readRegion } from "../../http/file-region.ts";

export abstract class InnerWire implements ExchanWire {
  readonly head: RequestHead;
  readonly headTime = 0;
  readonly trailers = noFields;
  /** Of the answer, once its head has come. */
  protected status: number | undefined;
  /** What the handlet announced, in bytes. */
  protected size: number | undefined;
  /** Of the content that came from the handlet, in bytes. */
  #given = 0;
  #endReason: EndReason | undefined;
  /** What whoever answers is told, if it was broken off. */
  #failure: ExchanError | undefined;
  #counter: ExchanCounter | undefined;
  readonly #abortListeners: AbortListener[] = [];
  readonly #endListeners: EndListener[] = [];

  constructor(head: RequestHead) {
    this.head = head;
  }

  abstract get peer(): ExchanWire["peer"];
  abstract get tls(): ExchanWire["tls"];
  abstract readContent(): Uint8Array | undefined;
  /** The head of the answer has come. */
  protected abstract headCame(head: ResponseHead, size: number | undefined): void;
  /** Content has come, `given` bytes of it in all. False: whoever answers is to await `writable()`. */
  protected abstract contentCame(piece: Uint8Array, given: number): boolean;
  /** Settles when more content may come. */
  protected abstract room(): Promise<void>;
  /** All of the answer has come. */
  protected abstract completed(): void;
  abstract abort(): void;

  get isOver(): boolean {
    return this.#endReason !== undefined;
  }

  sendInterim(): void {
    // There is nobody who could look at it before the answer.
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined): void {
    this.sendHead(head, content === undefined ? 0 : Buffer.byteLength(content));
    if (content !== undefined) this.sendContent(content);
    this.endContent();
  }

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.status !== undefined || this.isOver) return;
    this.status = head.status;
    this.size = size;
    this.headCame(head, size);
  }

  sendContent(piece: string | Uint8Array): boolean {
    if (this.isOver) return false;
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    const given = this.#given + bytes.length;
    if (this.#hasContent() && given > (this.size ?? Infinity)) this.#abortFor("more");
    this.#given = given;
    return !this.#hasContent() || this.contentCame(bytes, given);
  }

  writable(): Promise<void> {
    return this.isOver ? quietly(Promise.reject(this.#failure ?? goneAnswer())) : this.room();
  }

  async sendRegion(region: FileRegion): Promise<void> {
    if (!this.#hasContent()) return;
    for await (const piece of readRegion(region)) if (!this.sendContent(piece)) await this.writable();
  }

  endContent(): void {
    if (this.isOver || this.status === undefined) return;
    if (this.#hasContent() && this.#given < (this.size ?? 0)) this.#abortFor("less");
    this.end("complete");
    this.completed();
  }

  tunnel(): never {
    throw new HemiError("HEMI_USAGE", "a request that is made inside of the process opens no tunnel");
  }

  limitHandling(_timeout: number | undefined): void {
    // Whoever asked has a limit of its own.
  }

  limitContent(_timeout: number): void {
    // All of it is here.
  }

  distrust(): void {
    // Nothing follows.
  }

  dismiss(): void {
    const reason = new ExchanError("HEMI_PEER_GONE", "the answer was ended before its end");
    for (const listener of this.#abortListeners.splice(0)) listener(reason);
  }

  onAbort(listener: AbortListener): void {
    if (!this.isOver) this.#abortListeners.push(listener);
    else if (this.#failure !== undefined) listener(this.#failure);
  }

  countBy(counter: ExchanCounter): void {
    if (this.#endReason === undefined) this.#counter = counter;
    else counter.exchanEnded(this.status, this.#contentSent(), this.#endReason, 0);
  }

  onEnd(listener: EndListener): void {
    if (this.#endReason === undefined) this.#endListeners.push(listener);
    else listener(this.status, this.#contentSent(), this.#endReason);
  }

  /** It is over. `failure`: what whoever answers is told, if it was broken off. */
  protected end(reason: EndReason, failure?: ExchanError): void {
    if (this.isOver) return;
    this.#endReason = reason;
    this.#failure = failure;
    if (failure !== undefined) for (const listener of this.#abortListeners) listener(failure);
    this.#counter?.exchanEnded(this.status, this.#contentSent(), reason, 0);
    for (const listener of this.#endListeners) listener(this.status, this.#contentSent(), reason);
  }

  #hasContent(): boolean {
    return responseHasContent(this.head.method, this.status ?? 200);
  }

  #contentSent(): number {
    return this.#hasContent() ? this.#given : 0;
  }

  #abortFor(amount: "more" | "less"): never {
    this.abort();
    throw new HemiError("HEMI_USAGE", `${amount} content was sent than the ${this.size} bytes that were announced`);
  }
}

/** To whoever answers, its client has gone. */
export function goneAnswer(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "nobody wants the answer any more");
}
