// One connection to an HTTP/1 server: sends requests one after the other, and reads their answers.
//
//   dialing ── connected ──> busy <──────────────────── begin ── idle      (kept in the pool)
//      │ dialTimeout           │ writeTimeout, readTimeout         │ aliveTimeout; anything that comes unasked
//      v                       v                                   v
//    closed <──────────────────┴───────────────────────────────────┘
//
// Reading costs no allocation for small answers: all connections read into one buffer, and what is kept is copied out of it. Those that
// bring much content read into buffers of their own, which are handed on as they are.

import type { OnReadOpts, Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import type { AnswerHeadLimits, Http1AnswerHead } from "./answer-head.ts";
import { Output } from "./output.ts";
import type { ContentLimits, Input } from "./request-content.ts";

/** All durations in ms. */
export interface ClientSettings extends AnswerHeadLimits {
  /** Statuses of answers that speak against a node. */
  readonly failStatuses: readonly number[];
  /** Of 1xx answers before an answer. */
  readonly maxInterims: number;
  readonly dialTimeout: number;
  readonly writeTimeout: number;
  readonly readTimeout: number;
  readonly aliveTimeout: number;
}

/** What a connection needs of the request that is on it. */
export interface ConnUser {
  /** All of the request has been handed to the connection. */
  readonly isRequestSent: boolean;
  /** No more of the answer is wanted for now. */
  readonly isHeld: boolean;
  /** The connection stands: the request may be written. */
  connected(): void;
  /** There is more input, or more of it is wanted. */
  advance(): void;
  /** The node has shut its side. True: that is where the answer ends. */
  endedByClose(): boolean;
  timedOut(reason: string): void;
  /** The connection is gone; `reason` if there is one. */
  broken(reason: string | undefined): void;
}

/** What a connection needs of the pool that it belongs to. */
export interface ClientConnOwner {
  readonly settings: ClientSettings;
  readonly contentLimits: ContentLimits;
  /** Dials. The socket reads as `onread` says, unless that is impossible: then by `data` events. */
  dial(onread: OnReadOpts): { readonly socket: Socket; readonly connectEvent: "connect" | "secureConnect" };
  makeDeadline(onExpired: () => void): Deadline;
  /** It could take another request. */
  becameIdle(conn: Http1ClientConn): void;
  closed(conn: Http1ClientConn): void;
}

export class Http1ClientConn {
  readonly input: Input = { bytes: noBytes, at: 0 };
  readonly output: Output;
  /** The last head that was read here, for when the same comes again. */
  lastHead: Http1AnswerHead | undefined;
  /** Requests that were begun here. */
  requests = 0;
  readonly #owner: ClientConnOwner;
  readonly #socket: Socket;
  readonly #deadline: Deadline;
  #exchan: ConnUser | undefined;
  #isConnected = false;
  #isClosed = false;
  #isHeld = false;
  /** The bytes of `input` are nobody else's. */
  #isInputOwn = false;
  #readsMuch = false;
  #failure: string | undefined;

  constructor(owner: ClientConnOwner) {
    this.#owner = owner;
    const onread: OnReadOpts = {
      buffer: () => (this.#readsMuch ? Buffer.allocUnsafeSlow(readSize) : sharedBuffer),
      callback: (size, buffer) => {
        const isOwn = buffer !== sharedBuffer;
        // What was read is looked at at once: the next connection to read overwrites it.
        const bytes = isOwn ? Buffer.from(buffer.buffer, buffer.byteOffset, size) : sharedBuffer.subarray(0, size);
        this.#received(bytes, isOwn);
        return !this.#isHeld;
      },
    };
    const { socket, connectEvent } = owner.dial(onread);
    this.#socket = socket;
    this.output = new Output(socket);
    socket.on(connectEvent, () => this.#connected());
    socket.on("data", (chunk: Buffer) => this.#received(chunk, true));
    socket.on("end", () => this.#ended());
    socket.on("drain", () => this.#drained());
    socket.on("error", (error) => (this.#failure ??= error.message));
    socket.on("close", () => this.#closed());
    this.#deadline = owner.makeDeadline(() => this.#expired());
    this.#deadline.set(owner.settings.dialTimeout);
  }

  get settings(): ClientSettings {
    return this.#owner.settings;
  }

  get contentLimits(): ContentLimits {
    return this.#owner.contentLimits;
  }

  /** Begins a request, as soon as the connection stands. */
  begin(exchan: ConnUser): void {
    this.requests++;
    this.#exchan = exchan;
    if (!this.#isConnected) return;
    exchan.connected();
    this.settle();
  }

  /** The request is over. `isReusable`: nothing of it is left on the connection, on either way. */
  finished(isReusable: boolean): void {
    this.#exchan = undefined;
    if (!isReusable || this.input.at < this.input.bytes.length) return this.destroy();
    this.input.bytes = noBytes;
    this.input.at = 0;
    this.#readsMuch = false;
    const { aliveTimeout } = this.#owner.settings;
    const announced = this.lastHead?.keepAliveTimeout;
    // A second less than the node says: what is sent at the last moment meets a closed door.
    this.#deadline.set(announced === undefined ? aliveTimeout : Math.min(aliveTimeout, announced * 1000 - 1000));
    this.#hold(false);
    this.#owner.becameIdle(this);
  }

  /** The taker of the answer wants more of it. */
  resume(): void {
    if (this.#exchan === undefined) return;
    this.#advance();
  }

  destroy(): void {
    this.#exchan = undefined;
    this.#socket.destroy();
  }

  /** Reads on or holds, and sets the deadline of what is waited for now. */
  settle(): void {
    const exchan = this.#exchan;
    if (exchan === undefined || !this.#isConnected) return;
    const { settings } = this.#owner;
    this.#hold(exchan.isHeld);
    if (this.output.isBlocked && !exchan.isRequestSent) this.#deadline.set(settings.writeTimeout);
    // The client has a limit of its own where it is the one who is waited for.
    else if (exchan.isHeld || !exchan.isRequestSent) this.#deadline.clear();
    else this.#deadline.set(settings.readTimeout);
  }

  /** Bytes that may be kept: those of a piece of the input, or a copy of them. */
  own(piece: Buffer): Buffer {
    return this.#isInputOwn ? piece : Buffer.from(piece);
  }

  #connected(): void {
    this.#isConnected = true;
    this.#exchan?.connected();
    this.settle();
  }

  #received(bytes: Buffer, isOwn: boolean): void {
    // What comes unasked belongs to no request: an answer read from it would be somebody else's.
    if (this.#exchan === undefined) return this.destroy();
    const { input } = this;
    if (input.at < input.bytes.length) {
      input.bytes = Buffer.concat([input.bytes.subarray(input.at), bytes]);
      this.#isInputOwn = true;
    } else {
      input.bytes = bytes;
      this.#isInputOwn = isOwn;
    }
    input.at = 0;
    this.#readsMuch = bytes.length >= muchRead;
    this.#advance();
  }

  #advance(): void {
    this.#exchan?.advance();
    const { input } = this;
    if (input.at === input.bytes.length) input.bytes = noBytes;
    else if (!this.#isInputOwn) {
      input.bytes = Buffer.from(input.bytes.subarray(input.at));
      this.#isInputOwn = true;
    } else {
      this.settle();
      return;
    }
    input.at = 0;
    this.settle();
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    // A held connection keeps no large buffer ready.
    if (isHeld) {
      this.#readsMuch = false;
      this.#socket.pause();
    } else this.#socket.resume();
  }

  #drained(): void {
    this.output.unblocked();
    this.settle();
  }

  #ended(): void {
    if (this.#exchan?.endedByClose() === true) return;
    this.#socket.destroy();
  }

  #expired(): void {
    const exchan = this.#exchan;
    const { dialTimeout, readTimeout, writeTimeout } = this.#owner.settings;
    if (exchan === undefined) return this.destroy();
    if (!this.#isConnected) exchan.timedOut(`it could not be connected to within ${dialTimeout} ms`);
    else if (!exchan.isRequestSent) exchan.timedOut(`it took nothing of the request for ${writeTimeout} ms`);
    else exchan.timedOut(`nothing of its answer came for ${readTimeout} ms`);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadline.clear();
    this.output.closed();
    const exchan = this.#exchan;
    this.#exchan = undefined;
    this.#owner.closed(this);
    exchan?.broken(this.#failure);
  }
}

const noBytes = Buffer.alloc(0);

/** Of one read, in bytes. No prop: it is a matter of what a system call costs against the memory that slow clients keep. */
const readSize = 64 * 1024;
/** A connection that brings as much in one read gets buffers of its own: copying would cost more. */
const muchRead = 16 * 1024;
/** On the systems that Hemi runs on, a socket is read into its buffer and looked at in one go, so that one buffer does for all. */
const sharedBuffer = Buffer.allocUnsafeSlow(readSize);
