// Runs a request without a socket: for tests, and for programs that ask themselves.

import { quietly } from "@hemi/common";
import type { InjectRequest, InjectResponse } from "../component/inject.ts";
import { HemiError } from "../errors/hemi-error.ts";
import { ExchanError } from "./exchan-error.ts";
import type {
  AbortListener,
  EndListener,
  Endpoint,
  ExchanWire,
  FileRegion,
  RequestHead,
  ResponseHead,
} from "./exchan.ts";
import { ListedFields, noFields } from "./fields.ts";
import { readRegion } from "./file-region.ts";

/** Makes the `inject` of a server from the function that serves its exchans. */
export function injectRequest(serve: (wire: ExchanWire) => void): (request: InjectRequest) => Promise<InjectResponse> {
  return (request) =>
    new Promise((resolve, reject) => {
      serve(new InjectWire(request, resolve, reject));
    });
}

class InjectWire implements ExchanWire {
  readonly head: RequestHead;
  readonly peer: Endpoint = { address: "127.0.0.1", port: 0 };
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
  #wasAborted = false;
  readonly #abortListeners: AbortListener[] = [];
  readonly #endListeners: EndListener[] = [];

  constructor(request: InjectRequest, resolve: (response: InjectResponse) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
    if (request.content !== undefined && request.content.length > 0) this.#unread = Buffer.from(request.content);
    this.head = makeHead(request, this.#unread?.length ?? 0);
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
    this.#size = size;
    this.#response = { status, headers: headersOf(fieldList) };
  }

  sendContent(piece: string | Uint8Array): boolean {
    if (this.#isOver) return false;
    const bytes = Buffer.from(piece);
    if (this.#hasContent) {
      if (this.#sent + bytes.length > (this.#size ?? Infinity)) this.#abortFor("more");
      this.#pieces.push(bytes);
    }
    this.#sent += bytes.length;
    return true;
  }

  writable(): Promise<void> {
    return this.#isOver ? quietly(Promise.reject(gone())) : Promise.resolve();
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

  distrust(): void {
    // Nothing follows.
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = this.#wasAborted = true;
    this.#reject(new HemiError("HEMI_PEER_GONE", "the answer was broken off before its end"));
    for (const listener of this.#abortListeners) listener(gone());
    this.#tellEnded(...this.#endListeners);
  }

  onAbort(listener: AbortListener): void {
    if (!this.#isOver) this.#abortListeners.push(listener);
    else if (this.#wasAborted) listener(gone());
  }

  onEnd(listener: EndListener): void {
    if (this.#isOver) this.#tellEnded(listener);
    else this.#endListeners.push(listener);
  }

  #tellEnded(...listeners: readonly EndListener[]): void {
    for (const listener of listeners) listener(this.#response?.status, this.#hasContent ? this.#sent : 0);
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

/** As a handlet is told it. To who injected the request, the answerer is the peer, and none of an exchan of theirs. */
function gone(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the answer was broken off before its end");
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
  };
}
