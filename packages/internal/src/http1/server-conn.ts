// One connection of an HTTP/1 client: reads requests from a socket one after the other, and writes the responses in order.
//
//            first byte           head complete           response complete
//   idle ───────────────> head ──────────────────> exchan ──────────────────> idle   (kept)
//    │ idleTimeout          │ headTimeout: 408        │ contentTimeout: 408          │
//    │                      │ bad head: 400 …         │ handleTimeout: 503           │
//    v                      v                         v writeTimeout: breaks off     v
//  closed <───────────── linger <───────────────── linger  (our side is shut, theirs is read and dropped for a moment,
//                                                           so that a reset does not destroy the answer on its way)

import type { Socket } from "node:net";
import { HemiError } from "../errors/hemi-error.ts";
import type { Endpoint, ExchanWire } from "../web/exchan.ts";
import { BadHead, readHead, type HeadLimits, type Http1RequestHead } from "./head.ts";
import { RequestContent, type Input } from "./request-content.ts";
import { statusLine } from "./response-head.ts";
import { Http1Exchan, type ExchanConn } from "./server-exchan.ts";

/** What a connection waits for, at most how long, and how much it takes. All durations in ms, all sizes in bytes. */
export interface Http1Settings extends HeadLimits {
  /** Between two requests. */
  readonly idleTimeout: number;
  /** From the first byte of a head to its last. */
  readonly headTimeout: number;
  /** Between two pieces of content. */
  readonly contentTimeout: number;
  /** Bytes a second that content must come in at, on average, after its first seconds. */
  readonly minContentRate: number;
  /** Until a handlet sends its head, and between two pieces that it sends. */
  readonly handleTimeout: number;
  /** Without the client taking anything of what is sent. */
  readonly writeTimeout: number;
  readonly maxRequestsPerConn: number;
}

/** Runs out once. Setting it again moves it. */
export interface Deadline {
  set(duration: number): void;
  clear(): void;
}

/** What a connection needs of the server that it belongs to. */
export interface Http1Host {
  readonly settings: Http1Settings;
  readonly dateLine: string;
  readonly isTLS: boolean;
  makeDeadline(onExpired: () => void): Deadline;
  /** Monotonic, in ms. */
  monotonic(): number;
  /** Answers a request through its wire. Never throws. */
  serve(wire: ExchanWire): void;
  /** Notes in the error log what a client did or failed to do. */
  note(peer: Endpoint, message: string): void;
  connClosed(conn: Http1Conn): void;
}

type Phase = "idle" | "head" | "exchan" | "discard" | "linger" | "closed";
/** What the one deadline is set for. */
type Wait = "nothing" | "idle" | "head" | "content" | "handle" | "write" | "linger";

export class Http1Conn implements ExchanConn {
  readonly peer: Endpoint;
  readonly input: Input = { bytes: noBytes, at: 0 };
  readonly #socket: Socket;
  readonly #host: Http1Host;
  readonly #deadline: Deadline;
  #phase: Phase = "idle";
  #wait: Wait = "nothing";
  #exchan: Http1Exchan | undefined;
  /** Content that no handlet read, thrown away after the response so that the next head can be found. */
  #discarded: RequestContent | undefined;
  /** Something was sent or read of the exchan: its deadline begins anew. */
  #hasMoved = false;
  #requests = 0;
  #isDraining = false;
  /** The client has shut its side. */
  #hasEnded = false;
  /** An incomplete head is not read again before its input has this length: else each byte of a slow one would cost a reading. */
  #retryLength = 0;
  /** Text that goes out with the end of the current batch. */
  #batch = "";
  #isBatching = false;
  #drainWaiters: { resolve(): void; reject(error: Error): void }[] | undefined;
  /** When the content's first piece was waited for, on the monotonic clock; 0 if not yet. */
  #contentSince = 0;
  #lingered = 0;

  constructor(socket: Socket, host: Http1Host) {
    this.#socket = socket;
    this.#host = host;
    this.peer = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    this.#deadline = host.makeDeadline(() => this.#expired());
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.#ended());
    socket.on("drain", () => this.#drainedNow());
    // What went wrong with a socket is of no use: its "close" follows.
    socket.on("error", noop);
    socket.on("close", () => this.#closed());
    this.#await("idle");
  }

  get mayKeepAlive(): boolean {
    return !this.#isDraining && !this.#hasEnded && this.#requests < this.#host.settings.maxRequestsPerConn;
  }

  get dateLine(): string {
    return this.#host.dateLine;
  }

  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Serves what has begun and nothing more. An idle connection is closed at once. */
  drain(): void {
    this.#isDraining = true;
    if (this.#phase === "idle") this.#linger();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // ---- input ----

  #received(chunk: Buffer): void {
    if (this.#phase === "linger") {
      this.#lingered += chunk.length;
      if (this.#lingered > maxLingered) this.#socket.destroy();
      return;
    }
    const { input } = this;
    const left = input.bytes.length - input.at;
    input.bytes =
      left === 0 ? chunk : Buffer.concat([input.at === 0 ? input.bytes : input.bytes.subarray(input.at), chunk]);
    input.at = 0;
    this.#advance();
  }

  /** Goes as far as the input allows, and sends what that gave in one write. */
  #advance(): void {
    // A response that is finished while we are in here is seen by the loop below.
    if (this.#isBatching) return;
    this.#isBatching = true;
    while (this.#step());
    this.#isBatching = false;
    this.#flush();
    this.#settle();
  }

  /** Does what the phase has to do with the input. False when there is nothing more to do for now. */
  #step(): boolean {
    switch (this.#phase) {
      case "idle":
      case "head":
        return this.#nextRequest();
      case "exchan":
        return this.#feedReader();
      case "discard":
        return this.#discardContent();
      default:
        return false;
    }
  }

  /** Reads the next head and has it served. */
  #nextRequest(): boolean {
    const { input } = this;
    const available = input.bytes.length - input.at;
    // A client that sends requests and takes no answers waits for its turn.
    if (available === 0 || this.needsDrain) return false;
    if (available < this.#retryLength && !this.#hasWholeHead()) return false;
    const head = readHead(input.bytes, input.at, input.bytes.length, this.#host.settings);
    if (head === undefined) {
      this.#phase = "head";
      this.#retryLength = Math.min(available * 2, this.#host.settings.maxHeadSize);
      return false;
    }
    if (head instanceof BadHead) {
      this.#refuse(head.status, head.reason);
      return false;
    }
    input.at = head.end;
    this.#retryLength = 0;
    this.#beginExchan(head);
    return true;
  }

  #beginExchan(head: Http1RequestHead): void {
    this.#requests++;
    this.#contentSince = 0;
    this.#phase = "exchan";
    if (this.#host.isTLS) head.scheme = "https";
    const content = new RequestContent(head.contentSize, this.#host.settings);
    const exchan = new Http1Exchan(this, head, content);
    this.#exchan = exchan;
    this.#hasMoved = true;
    this.#host.serve(exchan);
  }

  /** Gives input to who waits for content. */
  #feedReader(): boolean {
    const exchan = this.#exchan;
    if (exchan?.contentArrived() !== true) return false;
    this.#hasMoved = true;
    return this.#isContentFastEnough(exchan);
  }

  #discardContent(): boolean {
    const content = this.#discarded;
    if (content?.discard(this.input) === true) {
      this.#discarded = undefined;
      this.#phase = "idle";
      return true;
    }
    if (content?.failure !== undefined) this.#linger();
    return false;
  }

  #isContentFastEnough(exchan: Http1Exchan): boolean {
    const elapsed = this.#host.monotonic() - this.#contentSince;
    if (elapsed < rateGrace || (exchan.content.read * 1000) / elapsed >= this.#host.settings.minContentRate)
      return true;
    this.#host.note(this.peer, `its content came at less than ${this.#host.settings.minContentRate} bytes a second`);
    this.#hasEnded = true;
    exchan.contentFailed(new HemiError("HEMI_TIMEOUT", "the content of the request came too slowly"));
    return false;
  }

  wantContent(): void {
    if (this.#contentSince === 0) this.#contentSince = this.#host.monotonic();
    if (this.#hasEnded) {
      this.#exchan?.contentFailed(
        new HemiError("HEMI_CONTENT_BROKEN", "the client ended the request before its content was complete"),
      );
      return;
    }
    this.#settle();
  }

  #ended(): void {
    this.#hasEnded = true;
    switch (this.#phase) {
      case "linger":
        if (this.#socket.writableFinished) this.#socket.destroy();
        break;
      case "exchan":
        // A client may shut its side and still read the answer; but where someone asked to hear of its leaving, it has left.
        if (this.#exchan?.isWatched === true) this.#socket.destroy();
        else
          this.#exchan?.contentFailed(
            new HemiError("HEMI_CONTENT_BROKEN", "the client ended the request before its content was complete"),
          );
        break;
      case "head":
        this.#host.note(this.peer, "it left in the middle of a head");
        this.#linger();
        break;
      default:
        this.#linger();
    }
  }

  // ---- output ----

  writeText(text: string): void {
    this.#batch += text;
    if (!this.#isBatching || this.#batch.length > maxBatch) this.#flush();
  }

  writeBytes(text: string, bytes: Uint8Array): void {
    const before = this.#batch + text;
    this.#batch = "";
    if (before === "") this.#socket.write(bytes);
    else if (bytes.length <= maxCopied) {
      // One buffer costs less than two in one call, up to sizes where copying does.
      const whole = Buffer.allocUnsafe(before.length + bytes.length);
      whole.write(before, 0, "latin1");
      whole.set(bytes, before.length);
      this.#socket.write(whole);
    } else {
      this.#socket.cork();
      this.#socket.write(before, "latin1");
      this.#socket.write(bytes);
      this.#socket.uncork();
    }
  }

  #flush(): void {
    if (this.#batch === "") return;
    const text = this.#batch;
    this.#batch = "";
    this.#socket.write(text, "latin1");
  }

  drained(): Promise<void> {
    if (!this.needsDrain) return Promise.resolve();
    return new Promise((resolve, reject) => {
      (this.#drainWaiters ??= []).push({ resolve, reject });
      this.#settle();
    });
  }

  #drainedNow(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = undefined;
    for (const { resolve } of waiters ?? []) resolve();
    this.#advance();
  }

  progressed(): void {
    this.#hasMoved = true;
    if (!this.#isBatching) this.#settle();
  }

  finished(keepAlive: boolean): void {
    const exchan = this.#exchan;
    this.#exchan = undefined;
    if (exchan === undefined) return;
    if (!keepAlive) this.#linger();
    else {
      this.#phase = exchan.content.done ? "idle" : "discard";
      if (!exchan.content.done) this.#discarded = exchan.content;
      if (!this.#isBatching) this.#advance();
    }
  }

  // ---- the end ----

  /** Answers a request that could not be read, and closes. */
  #refuse(status: number, reason: string): void {
    this.#host.note(this.peer, `its request was refused with ${status}: ${reason}`);
    this.writeText(`${statusLine(status)}${this.dateLine}content-length: 0\r\nconnection: close\r\n\r\n`);
    this.#linger();
  }

  #linger(): void {
    if (this.#phase === "linger" || this.#phase === "closed") return;
    this.#phase = "linger";
    this.input.bytes = noBytes;
    this.input.at = 0;
    this.#flush();
    this.#await("write");
    this.#socket.end(() => {
      if (this.#hasEnded) this.#socket.destroy();
      else this.#await("linger");
    });
    this.#socket.resume();
  }

  #closed(): void {
    this.#phase = "closed";
    this.#deadline.clear();
    const exchan = this.#exchan;
    this.#exchan = undefined;
    exchan?.clientLeft();
    const waiters = this.#drainWaiters;
    this.#drainWaiters = undefined;
    for (const { reject } of waiters ?? [])
      reject(new HemiError("HEMI_PEER_GONE", "the client has closed the connection"));
    this.#host.connClosed(this);
  }

  // ---- waiting ----

  /** Reads on or holds, and sets the deadline of what is waited for now. */
  #settle(): void {
    const exchan = this.#exchan;
    switch (this.#phase) {
      case "idle":
        this.#hold(this.needsDrain);
        this.#await(this.needsDrain ? "write" : "idle");
        break;
      case "head":
        this.#hold(false);
        // The whole head has one deadline, from its first byte on.
        if (this.#wait !== "head") this.#await("head");
        break;
      case "exchan":
        this.#hold(exchan?.isReading !== true && this.input.bytes.length - this.input.at >= maxHeld);
        this.#awaitOf(exchan?.isReading === true ? "content" : this.#drainWaiters !== undefined ? "write" : "handle");
        break;
      case "discard":
        this.#hold(false);
        this.#awaitOf("content");
        break;
      default:
    }
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#socket.isPaused()) return;
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  /** As `await`, but what the client or the handlet was waited for already begins anew only when there was progress. */
  #awaitOf(wait: "content" | "write" | "handle"): void {
    if (wait !== this.#wait || this.#hasMoved) this.#await(wait);
    this.#hasMoved = false;
  }

  #await(wait: Exclude<Wait, "nothing">): void {
    const { settings } = this.#host;
    if (wait === "write") {
      // The socket's own timeout is the one that sees how much of a large write the client has taken.
      this.#deadline.clear();
      if (this.#wait !== "write") this.#socket.setTimeout(settings.writeTimeout, () => this.#expired());
    } else {
      if (this.#wait === "write") this.#socket.setTimeout(0).removeAllListeners("timeout");
      this.#deadline.set(wait === "linger" ? lingerTimeout : settings[`${wait}Timeout`]);
    }
    this.#wait = wait;
  }

  #expired(): void {
    const wait = this.#wait;
    const exchan = this.#exchan;
    this.#wait = "nothing";
    switch (wait) {
      case "idle":
        this.#linger();
        break;
      case "head":
        this.#refuse(408, `its head was not complete after ${this.#host.settings.headTimeout} ms`);
        break;
      case "content":
        this.#host.note(this.peer, `no content came for ${this.#host.settings.contentTimeout} ms`);
        this.#hasEnded = true;
        if (exchan === undefined) this.#linger();
        else exchan.contentFailed(new HemiError("HEMI_TIMEOUT", "the content of the request did not come in time"));
        this.#settle();
        break;
      case "handle":
        this.#host.note(this.peer, `its request was not answered within ${this.#host.settings.handleTimeout} ms`);
        if (exchan?.isUnanswered === true) {
          this.#hasEnded = true;
          exchan.sendWhole({ status: 503, fieldList: [] }, undefined);
        } else this.#socket.destroy();
        break;
      case "write":
        this.#host.note(this.peer, `it took nothing of its answer for ${this.#host.settings.writeTimeout} ms`);
        this.#socket.destroy();
        break;
      default:
        this.#socket.destroy();
    }
  }

  #hasWholeHead(): boolean {
    return this.input.bytes.indexOf("\r\n\r\n", this.input.at, "latin1") >= 0;
  }
}

const noBytes = Buffer.alloc(0);
function noop(): void {}

/** How long, in ms, the client may take to read the answer and close, after we have shut our side. */
const lingerTimeout = 2000;
/** What it may still send meanwhile, in bytes. */
const maxLingered = 1024 * 1024;
/** The content's rate is not judged before this many ms. */
const rateGrace = 5000;
/** Input that nobody has asked for is held up to this size, in bytes; then the socket is paused. */
const maxHeld = 64 * 1024;
/** Batched text is sent at this length. */
const maxBatch = 64 * 1024;
/** Bytes up to this size are copied behind their head. */
const maxCopied = 64 * 1024;
