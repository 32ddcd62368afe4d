// Runs a request without a socket: for tests, and for programs that ask themselves.

import { quietly } from "@hemi/common";
import type { InjectRequest, InjectResponse } from "./inject-request.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Peer } from "../../net/peer.ts";
import type { EndReason } from "../../http/end-reason.ts";
import { ExchanError } from "../../http/exchan-error.ts";
import type {
  AbortListener,
  EndListener,
  ExchanWire,
  FileRegion,
  RequestHead,
  ResponseHead,
} from "../../http/exchan.ts";
import { ListedFields, noFields } from "../../http/fields.ts";
import { readRegion } from "../../http/file-region.ts";

/** Runs the requests of one server. */
export class Injector {
  readonly #serve: (wire: ExchanWire) => void;
  readonly #handleTimeout: () => number;
  readonly #wires = new Set<InjectWire>();

  /** `handleTimeout`: in ms, until the head of an answer, and between two pieces of its content. Default: 60,000. */
  constructor(serve: (wire: ExchanWire) => void, handleTimeout = () => 60_000) {
    this.#serve = serve;
    this.#handleTimeout = handleTimeout;
  }

  /** Rejects with HEMI_PEER_GONE when the answer is broken off, and with HEMI_TIMEOUT when none comes. */
  inject(request: InjectRequest): Promise<InjectResponse> {
    return new Promise((resolve, reject) => {
      const wire = new InjectWire(request, resolve, reject);
      this.#wires.add(wire);
      wire.onEnd(() => this.#wires.delete(wire));
      wire.limit(this.#handleTimeout());
      this.#serve(wire);
    });
  }

  /** Breaks off what has not been answered. */
  close(): void {
    for (const wire of this.#wires) wire.abort("shutdown");
  }
}

/** Makes an `inject` from a function that serves exchans. */
export function injectRequest(serve: (wire: ExchanWire) => void): (request: InjectRequest) => Promise<InjectResponse> {
  const injector = new Injector(serve);
  return (request) => injector.inject(request);
}

class InjectWire implements ExchanWire {
  readonly head: RequestHead;
  readonly peer: Peer = { address: "127.0.0.1", port: 0 };
  readonly tls = undefined;
  readonly headTime = 0;
  readonly trailers = noFields;
  readonly #resolve: (response: InjectResponse) => void;
  readonly #reject: (error: Error) => void;
  #unread: Uint8Array | undefined;
  #response: { readonly status: number; readonly headers: InjectResponse["headers"] } | undefined;
  readonly #pieces: Uint8Array[] = [];
  /** What the handlet announced, and what came of it, in bytes. */
  #size: number | undefined;
  #sent = 0;
  #isOver = false;
  #endReason: EndReason = "complete";
  /** Why it was broken off. */
  #abortReason: ExchanError | undefined;
  readonly #abortListeners: AbortListener[] = [];
  readonly #endListeners: EndListener[] = [];
  #deadline: NodeJS.Timeout | undefined;

  constructor(request: InjectRequest, resolve: (response: InjectResponse) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
    if (request.content !== undefined && request.content.length > 0) this.#unread = Buffer.from(request.content);
    this.head = makeHead(request, this.#unread?.length ?? 0);
  }

  /** The answer is given up when nothing of it has come for so long, in ms. */
  limit(handleTimeout: number): void {
    const reason = `the answer, or the rest of it, did not come within ${handleTimeout} ms`;
    this.#deadline = setTimeout(() => this.#breakOff("HEMI_TIMEOUT", reason, "handleTimeout"), handleTimeout);
  }

  readContent(): Uint8Array | undefined {
    const piece = this.#unread;
    this.#unread = undefined;
    return piece;
  }

  sendInterim(): void {
    // There is nobody who could look at it before the answer.
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined): void {
    this.sendHead(head, undefined);
    if (content !== undefined) this.sendContent(content);
    this.endContent();
  }

  sendHead({ status, fieldList }: ResponseHead, size: number | undefined): void {
    if (this.#response !== undefined) return;
    this.#deadline?.refresh();
    this.#size = size;
    this.#response = { status, headers: headersOf(fieldList) };
  }

  sendContent(piece: string | Uint8Array): boolean {
    if (this.#isOver) return false;
    this.#deadline?.refresh();
    const bytes = Buffer.from(piece);
    if (this.#hasContent) {
      if (this.#sent + bytes.length > (this.#size ?? Infinity)) this.#abortFor("more");
      this.#pieces.push(bytes);
    }
    this.#sent += bytes.length;
    return true;
  }

  writable(): Promise<void> {
    return this.#isOver
      ? quietly(Promise.reject(this.#abortReason ?? new ExchanError("HEMI_PEER_GONE", "the answer is complete")))
      : Promise.resolve();
  }

  async sendRegion(region: FileRegion): Promise<void> {
    if (this.#hasContent) for await (const piece of readRegion(region)) this.sendContent(piece);
  }

  endContent(): void {
    if (this.#isOver || this.#response === undefined) return;
    if (this.#hasContent && this.#sent < (this.#size ?? 0)) this.#abortFor("less");
    this.#isOver = true;
    const content = Buffer.concat(this.#pieces);
    this.#tellEnded(...this.#endListeners);
    this.#resolve({ ...this.#response, content, text: content.toString("utf8") });
  }

  tunnel(): never {
    throw new HemiError("HEMI_USAGE", "a request that is injected opens no tunnel");
  }

  distrust(): void {
    // Nothing follows.
  }

  abort(endReason: EndReason = "aborted"): void {
    this.#breakOff("HEMI_PEER_GONE", "the answer was broken off before its end", endReason);
  }

  #breakOff(code: "HEMI_PEER_GONE" | "HEMI_TIMEOUT", reason: string, endReason: EndReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endReason = endReason;
    // To who injected the request, the answerer is a peer as others are, and none of an exchan of theirs.
    this.#reject(new HemiError(code, reason));
    const told = (this.#abortReason = new ExchanError(code, reason));
    for (const listener of this.#abortListeners) listener(told);
    this.#tellEnded(...this.#endListeners);
  }

  onAbort(listener: AbortListener): void {
    if (!this.#isOver) this.#abortListeners.push(listener);
    else if (this.#abortReason !== undefined) listener(this.#abortReason);
  }

  onEnd(listener: EndListener): void {
    if (this.#isOver) this.#tellEnded(listener);
    else this.#endListeners.push(listener);
  }

  #tellEnded(...listeners: readonly EndListener[]): void {
    clearTimeout(this.#deadline);
    const contentSent = this.#hasContent ? this.#sent : 0;
    for (const listener of listeners) listener(this.#response?.status, contentSent, this.#endReason);
  }

  get #hasContent(): boolean {
    const status = this.#response?.status;
    return this.head.method !== "HEAD" && status !== 204 && status !== 205 && status !== 304;
  }

  #abortFor(amount: "more" | "less"): never {
    this.abort();
    throw new HemiError("HEMI_USAGE", `${amount} content was sent than the ${this.#size} bytes that were announced`);
  }
}

function headersOf(fieldList: readonly string[]): InjectResponse["headers"] {
  const headers = new Map<string, string | readonly string[]>();
  for (let i = 0; i < fieldList.length; i += 2) {
    const name = fieldList[i] ?? "";
    const value = fieldList[i + 1] ?? "";
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : [...(typeof earlier === "string" ? [earlier] : earlier), value]);
  }
  return Object.fromEntries(headers);
}

function makeHead(request: InjectRequest, contentSize: number): RequestHead {
  const { method = "GET", url, headers = {} } = request;
  const [, scheme = "http", urlAuthority, urlTarget] = /^(https?):\/\/([^/?]*)(.*)$/.exec(url) ?? [];
  const target = urlTarget ?? url;
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of typeof value === "string" ? [value] : value) list.push(name.toLowerCase(), one);
  }
  const fields = new ListedFields(list);
  return {
    version: "1.1",
    method,
    scheme: scheme === "https" ? "https" : "http",
    authority: urlAuthority ?? fields.get("host") ?? "",
    target: target.startsWith("/") || target === "*" ? target : `/${target}`,
    pathNeedsCare: true,
    fields,
    contentSize,
    // There is no stream that both sides could have.
    upgrades: [],
  };
}
