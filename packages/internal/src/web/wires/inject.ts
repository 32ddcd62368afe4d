// Runs a request without a socket: for tests, and for programs that send requests to themselves.

import { ExchanError } from "../../http/exchan-error.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { EndReason } from "../../http/end-reason.ts";
import type { ExchanWire, RequestHead, ResponseHead } from "../../http/exchan.ts";
import { ListedFields } from "../../http/fields.ts";
import type { Peer } from "../../net/peer.ts";
import type { InjectRequest, InjectResponse } from "./inject-request.ts";
import { InnerWire } from "./inner-wire.ts";

/** Runs the requests of one server. */
export class Injector {
  readonly #serve: (wire: ExchanWire) => void;
  readonly #handleTimeout: () => number;
  readonly #wires = new Set<InjectWire>();

  /**
   * `handleTimeout`: in milliseconds, until the head of a response, and between two pieces of its content. Default:
   * 60,000.
   */
  constructor(serve: (wire: ExchanWire) => void, handleTimeout = () => 60_000) {
    this.#serve = serve;
    this.#handleTimeout = handleTimeout;
  }

  /** Rejects with HEMI_PEER_GONE if the response is aborted, and with HEMI_TIMEOUT if there is none in time. */
  inject(request: InjectRequest): Promise<InjectResponse> {
    return new Promise((resolve, reject) => {
      const handleTimeout = this.#handleTimeout();
      const wire = new InjectWire(request, handleTimeout, resolve, reject);
      this.#wires.add(wire);
      wire.onEnd(() => this.#wires.delete(wire));
      wire.limit(handleTimeout);
      this.#serve(wire);
    });
  }

  /** Aborts unfinished requests. */
  close(): void {
    for (const wire of this.#wires) wire.abort("shutdown");
  }
}

/** Makes an `inject` from a function that serves exchans. */
export function injectRequest(serve: (wire: ExchanWire) => void): (request: InjectRequest) => Promise<InjectResponse> {
  const injector = new Injector(serve);
  return (request) => injector.inject(request);
}

class InjectWire extends InnerWire {
  readonly peer: Peer = { address: "127.0.0.1", port: 0 };
  readonly tls = undefined;
  readonly #serverTimeout: number;
  readonly #resolve: (response: InjectResponse) => void;
  readonly #reject: (error: Error) => void;
  #unread: Uint8Array | undefined;
  #response: Pick<InjectResponse, "status" | "headers"> | undefined;
  readonly #pieces: Uint8Array[] = [];
  #deadline: NodeJS.Timeout | undefined;

  constructor(
    request: InjectRequest,
    serverTimeout: number,
    resolve: (response: InjectResponse) => void,
    reject: (error: Error) => void,
  ) {
    const content = request.content === undefined ? undefined : Buffer.from(request.content);
    super(makeHead(request, content?.length ?? 0));
    this.#serverTimeout = serverTimeout;
    this.#resolve = resolve;
    this.#reject = reject;
    if (content !== undefined && content.length > 0) this.#unread = content;
    this.onEnd(() => clearTimeout(this.#deadline));
  }

  override limitHandling(timeout: number | undefined): void {
    if (!this.isOver) this.limit(timeout ?? this.#serverTimeout);
  }

  /** The answer is given up when nothing of it has come for so long, in ms; Infinity: it never is. */
  limit(handleTimeout: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    // Timers of JavaScript cannot wait for longer, and end at once.
    if (handleTimeout >= 2 ** 31) return;
    const reason = `the answer, or the rest of it, did not come within ${handleTimeout} ms`;
    this.#deadline = setTimeout(() => this.#breakOff("HEMI_TIMEOUT", reason, "handleTimeout"), handleTimeout);
  }

  readContent(): Uint8Array | undefined {
    const piece = this.#unread;
    this.#unread = undefined;
    return piece;
  }

  protected headCame({ status, fieldList }: ResponseHead): void {
    this.#deadline?.refresh();
    this.#response = { status, headers: headersOf(fieldList) };
  }

  protected contentCame(piece: Uint8Array): boolean {
    this.#deadline?.refresh();
    // Who sent it may change it.
    this.#pieces.push(Buffer.from(piece));
    return true;
  }

  protected room(): Promise<void> {
    return Promise.resolve();
  }

  protected completed(): void {
    const content = Buffer.concat(this.#pieces);
    if (this.#response !== undefined) this.#resolve({ ...this.#response, content, text: content.toString("utf8") });
  }

  abort(endReason: EndReason = "aborted"): void {
    this.#breakOff("HEMI_PEER_GONE", "the answer was broken off before its end", endReason);
  }

  #breakOff(code: "HEMI_PEER_GONE" | "HEMI_TIMEOUT", reason: string, endReason: EndReason): void {
    if (this.isOver) return;
    // To the caller of `inject`, the handlet is a peer like any other.
    this.#reject(new HemiError(code, reason));
    this.end(endReason, new ExchanError(code, reason));
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
    // There is no stream for both sides.
    upgrades: [],
  };
}
