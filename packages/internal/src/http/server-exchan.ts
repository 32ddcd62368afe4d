// One request of a client and its response: what is the same in all HTTP versions. It is the wire below Request and
// Response.
//
//   waiting ── sendHead ──> streaming ── endContent ──> (leaving) ──> ended
//      ├────── sendWhole ────────┼───────────────────────┘
//      ├────── tunnel ──> tunnelling ── both ends ──────────────────> ended
//      └────── abort, or the client left ───────────────────────────> aborted
//
// A version says how heads and content are written, and tells what becomes of the client. `leaving`: the response is
// given, and not all of it is on its way.

import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import { ExchanError } from "./exchan-error.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import type { EndReason } from "./end-reason.ts";
import type {
  AbortListener,
  EndListener,
  ExchanCounter,
  ExchanWire,
  FileRegion,
  RequestHead,
  ResponseHead,
  TunnelHead,
} from "./exchan.ts";
import type { Fields } from "./fields.ts";

/** What every exchan needs of the connection that it is on. */
export interface ExchanCarrier {
  /** The other end of the connection. */
  readonly peer: Peer;
  /** What its TLS handshake has established; `undefined` without TLS. */
  readonly tls: TlsFacts | undefined;
  /** Nothing reaches the client any more. */
  readonly isCut: boolean;
}

/** Settles the promise that `readContent` gave out. */
interface ContentReader {
  resolve(piece: Uint8Array | undefined): void;
  reject(error: Error): void;
}

type State = "waiting" | "streaming" | "tunnelling" | "leaving" | "ended" | "aborted";

/**
 * An exchan of a server. Each HTTP version extends it by how heads and content are read and written.
 *
 * Its constructor sets plain properties: V8 constructs a base class that has fields or private methods by a slow call.
 */
export abstract class ServerExchan implements ExchanWire {
  /** What the client asks for. */
  abstract readonly head: RequestHead;
  /** Set by the connection if the head was long in coming. */
  declare headTime: number;
  /** In ms, in place of that of the server's settings. */
  declare handleTimeout: number | undefined;
  /** Likewise, for the wait between two pieces of content; if set, there is no minimum rate. */
  declare contentTimeout: number | undefined;
  /** How far the response has come. */
  declare protected state: State;
  /** Of the head that was sent; 0 before that. */
  declare protected status: number;
  /** Whether the response has content: set with its head. */
  declare protected hasContent: boolean;
  /** What `content-length` announced, in bytes. */
  declare protected announced: number | undefined;
  /** Content that came from the handlet, in bytes, sent or dropped. */
  declare protected given: number;
  /** The client waits for a 100 before it sends its content. */
  declare protected isContinueOwed: boolean;
  /** Why no more content will come. */
  declare protected contentError: HemiError | undefined;
  /** The connection. */
  declare protected readonly carrier: ExchanCarrier;
  /** Who waits for content. */
  declare private reader: ContentReader | undefined;
  /** When the response was given: had all content been read? */
  declare private wasContentRead: boolean;
  /** One costs no list: streams that idle have one each. */
  declare private abortListeners: AbortListener | AbortListener[] | undefined;
  /** The handlet took too long. */
  declare private isLate: boolean;
  /** Hears the end, before the listener. */
  declare private counter: ExchanCounter | undefined;
  /** Hears the end; several are one. */
  declare private endListener: EndListener | undefined;
  /** Why it ends as it does, if it is neither complete nor left by its client. */
  declare private endReason: EndReason | undefined;

  constructor(carrier: ExchanCarrier) {
    this.headTime = 0;
    this.handleTimeout = undefined;
    this.contentTimeout = undefined;
    this.state = "waiting";
    this.status = 0;
    this.hasContent = true;
    this.announced = undefined;
    this.given = 0;
    this.isContinueOwed = false;
    this.contentError = undefined;
    this.carrier = carrier;
    this.reader = undefined;
    this.wasContentRead = false;
    this.abortListeners = undefined;
    this.isLate = false;
    this.counter = undefined;
    this.endListener = undefined;
    this.endReason = undefined;
  }

  // ---- what a version knows ----

  abstract get trailers(): Fields;
  /** The next piece of content that is here; sets `contentError` where what follows is broken. */
  protected abstract takePiece(): Uint8Array | undefined;
  /** All content has come, and nothing is left of it. */
  protected abstract get isContentRead(): boolean;
  /** A reader waits: `readerGets` or `contentFailed` is to follow. */
  protected abstract wantContent(): void;
  /** The response is given, and content is left that nobody will read. */
  protected abstract dropContent(): void;
  /** Content that is on its way to the client, in bytes, framing not counted. */
  protected abstract get contentSent(): number;
  /** Content of the request that was read, in bytes. */
  protected abstract get contentReceived(): number;
  /** What is told to those who deal with a client that is gone. */
  protected abstract gone(): ExchanError;
  /** Someone wants to be told when the client leaves. */
  protected watch(): void {
    // Most connections hear of it in any case.
  }
  abstract sendInterim(status: number, fieldList: readonly string[]): void;
  abstract sendWhole(head: ResponseHead, content: string | Uint8Array | undefined, isLasting?: boolean): void;
  abstract sendHead(head: ResponseHead, size: number | undefined): void;
  abstract sendContent(piece: string | Uint8Array, done?: () => void): boolean;
  abstract writable(): Promise<void>;
  abstract sendRegion(region: FileRegion): Promise<void>;
  abstract endContent(trailerList: readonly string[]): void;
  abstract tunnel(head: TunnelHead, drained: () => void): Duplex;
  abstract distrust(): void;
  /** The handlet has all of its time once more. */
  protected abstract waitAnew(): void;
  abstract abort(): void;

  /** The other end of the connection. */
  get peer(): Peer {
    return this.carrier.peer;
  }

  get tls(): TlsFacts | undefined {
    return this.carrier.tls;
  }

  /** Whether a reader waits for content. */
  get isReading(): boolean {
    return this.reader !== undefined;
  }

  /** Someone asked to be told when the client leaves. */
  get isWatched(): boolean {
    return this.abortListeners !== undefined;
  }

  /** It is over, as far as its client sees. */
  get isOver(): boolean {
    return this.state === "ended" || this.state === "aborted";
  }

  // ---- content in ----

  readContent(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.state === "leaving" || this.state === "ended") {
      return this.wasContentRead ? undefined : refused("the request has been answered: its content is no longer read");
    }
    const piece = this.takePiece();
    if (piece !== undefined) {
      this.isContinueOwed = false;
      return piece;
    }
    if (this.isContentRead) return undefined;
    if (this.state === "aborted") return quietly(Promise.reject(this.contentError ?? this.gone()));
    if (this.contentError !== undefined) return quietly(Promise.reject(this.contentError));
    if (this.reader !== undefined) return refused("the content is being read already");
    if (this.isContinueOwed) this.sendInterim(100, []);
    this.isContinueOwed = false;
    return new Promise((resolve, reject) => {
      this.reader = { resolve, reject };
      this.wantContent();
    });
  }

  /** Gives the reader who waits a piece, or the end; why there is neither, if `contentError` is set. */
  protected readerGets(piece: Uint8Array | undefined): void {
    const reader = this.reader;
    this.reader = undefined;
    if (this.contentError === undefined) reader?.resolve(piece);
    else reader?.reject(this.contentError);
  }

  /** No more content will come than what is here: a waiting reader is told why, and who reads later. */
  contentFailed(error: HemiError): void {
    this.contentError = error;
    this.readerGets(undefined);
  }

  /** The response is given: what is left of the content is nobody's. */
  protected leaveContent(): void {
    this.wasContentRead = this.isContentRead;
    if (this.wasContentRead) return;
    if (this.reader !== undefined) {
      this.contentFailed(
        new HemiError("HEMI_CONTENT_READ", "the request was answered while its content was being read"),
      );
    }
    this.dropContent();
  }

  // ---- response out ----

  /** More content comes from the handlet. Breaks the response off, and throws, if that is more than was announced. */
  protected give(size: number): void {
    if (this.hasContent && this.given + size > (this.announced ?? Infinity)) {
      this.abortFor(`more content was sent than the ${this.announced} bytes that were announced`);
    }
    this.given += size;
  }

  /** No more content comes. Breaks the response off, and throws, if that is less than was announced. */
  protected assertAllGiven(): void {
    if (this.hasContent && this.given < (this.announced ?? 0)) {
      this.abortFor(`only ${this.given} of the ${this.announced} bytes that were announced were sent`);
    }
  }

  /** Whether a source of content that nobody takes, as in an answer to HEAD, has to stop now. */
  protected get isEnoughDropped(): boolean {
    return !this.hasContent && this.given > maxDropped;
  }

  /** Throws HEMI_USAGE unless the exchan may leave HTTP for a protocol, or for a tunnel. */
  protected assertTunnel(protocol: string | undefined): void {
    const { head } = this;
    if (this.state !== "waiting") throw new HemiError("HEMI_USAGE", "a request that is answered opens no tunnel");
    const isOffered = protocol === undefined ? head.method === "CONNECT" : head.upgrades.includes(protocol);
    if (!isOffered) throw new HemiError("HEMI_USAGE", `the client did not ask for ${protocol ?? "a tunnel"}`);
  }

  // ---- ends ----

  countBy(counter: ExchanCounter): void {
    this.counter = counter;
    if (this.isOver) this.tellEnded(undefined);
  }

  onEnd(listener: EndListener): void {
    if (this.isOver) return this.tellEnded(listener);
    const earlier = this.endListener;
    // Two are rare, and one costs no list.
    this.endListener =
      earlier === undefined
        ? listener
        : (status, contentSent, reason) => {
            earlier(status, contentSent, reason);
            listener(status, contentSent, reason);
          };
  }

  dismiss(): void {
    this.tellAborted();
  }

  onAbort(listener: AbortListener): void {
    if (this.state === "aborted" || this.isLate) return listener(this.abortReason());
    // Its connection may be at another exchan by now, which nobody asked to watch over.
    if (this.state === "ended") return;
    const earlier = this.abortListeners;
    if (earlier === undefined) this.abortListeners = listener;
    else if (typeof earlier === "function") this.abortListeners = [earlier, listener];
    else earlier.push(listener);
    this.watch();
  }

  limitHandling(timeout: number | undefined): void {
    this.handleTimeout = timeout;
    this.waitAnew();
  }

  limitContent(timeout: number): void {
    this.contentTimeout = timeout;
  }

  /** Says why it is about to end, or to be answered as it will be. The first cause counts. */
  endsBecauseOf(reason: EndReason): void {
    this.endReason ??= reason;
  }

  /**
   * The handlet took too long: 503 if nothing was sent, else the answer is broken off. It is told by `onAbort` in both
   * cases.
   */
  giveUp(): void {
    this.isLate = true;
    this.endsBecauseOf("handleTimeout");
    if (this.state !== "waiting") return this.abort();
    this.sendWhole({ status: 503, fieldList: [] }, undefined);
    this.tellAborted();
  }

  /**
   * A handlet aborts it: unless its client has left, which a handlet may hear of, and give up, before the codec does.
   */
  protected endsByAbort(): void {
    if (!this.carrier.isCut) this.endsBecauseOf("aborted");
  }

  /** The response is complete, and on its way. */
  protected complete(): void {
    this.state = "ended";
    this.tellEnded(this.endListener);
  }

  /** The client is gone, or has given the request up. `why`: what a reader of the content is told. */
  protected lose(why: HemiError): void {
    const isTunnel = this.state === "tunnelling";
    this.state = isTunnel ? "ended" : "aborted";
    this.contentError ??= why;
    this.readerGets(undefined);
    if (!isTunnel) this.tellAborted();
    this.tellEnded(this.endListener);
  }

  /** Tells who counts and who listens, once it is over. */
  private tellEnded(listener: EndListener | undefined): void {
    const { counter } = this;
    if (listener === undefined && counter === undefined) return;
    const isAnswered = this.status !== 0;
    const reason = this.endReason ?? (this.state === "ended" ? "complete" : isAnswered ? "leftReading" : "leftWaiting");
    const status = isAnswered ? this.status : undefined;
    this.counter = undefined;
    counter?.exchanEnded(status, this.contentSent, reason, this.contentReceived);
    listener?.(status, this.contentSent, reason);
  }

  /** Tells those who watch the client, once. */
  private tellAborted(): void {
    const listeners = this.abortListeners;
    this.abortListeners = undefined;
    if (listeners === undefined) return;
    const reason = this.abortReason();
    if (typeof listeners === "function") listeners(reason);
    else for (const listener of listeners) listener(reason);
  }

  /** Why those who watch the client are called. */
  private abortReason(): ExchanError {
    return this.isLate
      ? new ExchanError("HEMI_TIMEOUT", "the request was not answered within handleTimeout")
      : this.gone();
  }

  /** Breaks the response off for a mistake of the handlet. */
  private abortFor(reason: string): never {
    this.abort();
    throw new HemiError("HEMI_USAGE", reason);
  }
}

/**
 * So much content of an answer to HEAD, in bytes, is taken and dropped; more is stopped. No prop: nothing is kept of
 * it, and nobody sees a difference.
 */
const maxDropped = 256 * 1024;

function refused(reason: string): Promise<never> {
  return quietly(Promise.reject(new HemiError("HEMI_CONTENT_READ", reason)));
}
