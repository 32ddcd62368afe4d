// One connection to a node, for protocols with one request at a time: HTTP/1, FastCGI, SCGI.
//
//  dialing ── connected ──> busy <──────────────────── begin ── idle      (kept in the pool)
//     │ dialTimeout           │ writeTimeout, readTimeout         │ aliveTimeout; any unexpected data
//     v                       v                                   v
//   closed <──────────────────┴───────────────────────────────────┘
//
// Reading small responses allocates nothing: all connections read into one shared buffer, and only kept data is copied
// out. Connections that receive large content read into their own buffers, which are passed on without a copy.

import type { OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Deadline } from "@hemi/common";
import { HemiError } from "../errors/hemi-error.ts";
import { timeSinceTick, turnTick } from "../metrics/turn.ts";
import { Output } from "../net/output.ts";
import { WriteGuard } from "../net/write-guard.ts";
import { Input } from "../net/input.ts";
import type { Endpoint } from "../net/peer.ts";
import { readBlocks } from "../net/read-blocks.ts";
import { sharedBuffer, sharedPiece } from "../net/shared-buffer.ts";
import type { Dialled } from "./dial.ts";
import type { ProxyVersion } from "../net/write-proxy-header.ts";

/** All durations in milliseconds. */
export interface ConnSettings {
  readonly dialTimeout: number;
  readonly writeTimeout: number;
  readonly readTimeout: number;
  readonly aliveTimeout: number;
  /**
   * Whether each connection starts with a PROXY header for the client. The connection then serves one request. Not with
   * TLS.
   */
  readonly proxyProtocol: "off" | ProxyVersion;
}

/** A running request, from the view of its connection. */
export interface ConnUser {
  /** Whether the whole request has been written to the connection. */
  readonly isRequestSent: boolean;
  /** Whether reading the response is paused. */
  readonly isHeld: boolean;
  /** In ms, in place of those of the settings. */
  readonly timeouts?:
    { readonly readTimeout?: number | undefined; readonly writeTimeout?: number | undefined } | undefined;
  /** The connection stands: the request may be written. */
  connected(): void;
  /** More input has arrived, or more is wanted: reads as much as possible. */
  advance(): void;
  /** The node has closed the connection. Returns true if this ends the response correctly. */
  endedByClose(): boolean;
  timedOut(reason: string): void;
  /** The connection is gone, possibly with a reason. */
  broken(reason: string | undefined): void;
}

/** The services that a connection needs from its pool. */
export interface NodeConnOwner<Traits, Memory> {
  readonly settings: ConnSettings;
  /** Settings of the protocol for its requests. */
  readonly traits: Traits;
  /**
   * Dials. The socket reads as `onread` says if possible, otherwise through `data` events. Without `onread`, it uses
   * these events and supports half-close.
   */
  dial(onread: OnReadOpts | undefined, from: Endpoint | undefined): Dialled;
  makeDeadline(onExpired: () => void): Deadline;
  /** The connection can take another request. */
  becameIdle(conn: NodeConn<Traits, Memory>): void;
  closed(conn: NodeConn<Traits, Memory>): void;
}

/** `Memory`: data that a request keeps for the next one on the connection. */
export class NodeConn<Traits, Memory = never> {
  readonly input = new Input();
  readonly output: Output;
  memory: Memory | undefined;
  /** Whether it has received any data. */
  hasReceived = false;
  /** The number of requests started on this connection. */
  requests = 0;
  readonly #owner: NodeConnOwner<Traits, Memory>;
  readonly #socket: Socket;
  /** Whatever the node has answered before it left is read, even if it did not take the whole request. */
  readonly #guard: WriteGuard;
  readonly #deadline: Deadline;
  /** In ms: the deadline expires in that time, or sooner. */
  #wait = Infinity;
  /** In ms, how long it is kept from `#idleTick` on, if the deadline expires before; 0 if it does not. */
  #idleTime = 0;
  #idleTick = 0;
  #user: ConnUser | undefined;
  #isConnected = false;
  #isClosed = false;
  #isHeld = false;
  #readsMuch = false;
  /** What is read into; `undefined`: the shared buffer. */
  #block: Buffer | undefined;
  #failure: string | undefined;

  /** `from`: the client, if nodes receive a PROXY header. `isStream`: `leave` may release the socket. */
  constructor(owner: NodeConnOwner<Traits, Memory>, from: Endpoint | undefined, { isStream = false } = {}) {
    this.#owner = owner;
    const onread: OnReadOpts = {
      buffer: () => (this.#block = this.#readsMuch ? readBlocks.lend() : undefined) ?? sharedBuffer,
      callback: (size) => {
        this.#read(size);
        return !this.#isHeld;
      },
    };
    const { socket, connectEvent } = owner.dial(isStream ? undefined : onread, from);
    this.#socket = socket;
    this.#guard = new WriteGuard(socket, (error) => this.#notTaken(error));
    this.output = new Output(socket, nodeGone);
    socket.on(connectEvent, () => this.#connected());
    socket.on("data", this.#gotChunk);
    socket.on("end", this.#ended);
    socket.on("drain", this.#drained);
    socket.on("error", (error) => (this.#failure ??= error.message));
    socket.on("close", () => this.#closed());
    this.#deadline = owner.makeDeadline(() => this.#expired());
    this.#waitFor(owner.settings.dialTimeout);
  }

  get traits(): Traits {
    return this.#owner.traits;
  }

  /** Starts a request as soon as the connection is established. */
  begin(user: ConnUser): void {
    this.requests++;
    this.#user = user;
    if (!this.#isConnected) return;
    user.connected();
    this.settle();
  }

  /**
   * The request is complete, with no data left in either direction. `aliveFor`: how long the node keeps the connection,
   * in milliseconds.
   */
  finished(aliveFor = Infinity): void {
    this.#user = undefined;
    if (this.input.size > 0 || this.#guard.hasFailed) return this.destroy();
    this.input.clear();
    this.#readsMuch = false;
    // One second less than the node announces, because a request sent at the last moment meets a closed connection.
    this.#keepFor(Math.min(this.#owner.settings.aliveTimeout, aliveFor - 1000));
    this.#hold(false);
    this.#owner.becameIdle(this);
  }

  /** The reader of the response wants more data. */
  resume(): void {
    if (this.#user === undefined) return;
    this.#advance();
  }

  /**
   * Releases the paused socket to a new reader, together with the received but unread data. Only for a socket that was
   * dialled as a stream.
   */
  leave(): Duplex {
    const socket = this.#socket;
    this.#user = undefined;
    this.#deadline.clear();
    this.output.flush();
    this.#guard.release();
    socket.pause();
    socket.off("data", this.#gotChunk).off("end", this.#ended).off("drain", this.#drained);
    const rest = this.input.take();
    if (rest.length > 0) socket.unshift(rest);
    return socket;
  }

  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }

  /** Continues or pauses reading, and sets the deadline for the current wait. */
  settle(): void {
    const user = this.#user;
    if (user === undefined || !this.#isConnected) return;
    const { settings } = this.#owner;
    this.#hold(user.isHeld);
    if (this.output.isBlocked && !user.isRequestSent)
      this.#waitFor(user.timeouts?.writeTimeout ?? settings.writeTimeout);
    // The client has a limit of its own where it is the one who is waited for.
    else if (user.isHeld || !user.isRequestSent) this.#waitFor(Infinity);
    else this.#waitFor(user.timeouts?.readTimeout ?? settings.readTimeout);
  }

  /** In ms. */
  #waitFor(time: number): void {
    this.#wait = time;
    this.#deadline.set(time);
  }

  /**
   * In ms, for an idle connection. The deadline of its last response stays, and is followed by one for the rest of the
   * time: that of the next response then only moves it to a later time, which costs least.
   */
  #keepFor(time: number): void {
    this.#idleTick = turnTick();
    this.#idleTime = this.#wait <= time ? time : 0;
    if (this.#idleTime === 0) this.#waitFor(time);
  }

  #connected(): void {
    this.#isConnected = true;
    this.#user?.connected();
    this.settle();
  }

  #read(size: number): void {
    if (this.#block === undefined) this.input.add(sharedPiece(size), true);
    else this.input.addBlock(this.#block, size);
    this.#received(size);
  }

  #received(size: number): void {
    // Unexpected data belongs to no request. A response parsed from it could reach the wrong client.
    if (this.#user === undefined) return this.destroy();
    this.hasReceived = true;
    this.#readsMuch = size >= muchRead;
    this.#advance();
  }

  #advance(): void {
    this.#user?.advance();
    this.input.own();
    this.settle();
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    // A paused connection keeps no large buffer.
    if (isHeld) {
      this.#readsMuch = false;
      this.#socket.pause();
    } else this.#socket.resume();
  }

  readonly #gotChunk = (chunk: Buffer): void => {
    this.input.add(chunk, false);
    this.#received(chunk.length);
  };

  readonly #drained = (): void => {
    this.output.unblocked();
    this.settle();
  };

  readonly #ended = (): void => {
    // Behind a reset the end may be anywhere.
    if (!this.#guard.hasFailed && this.#user?.endedByClose() === true) return;
    this.#socket.destroy();
    // Its "close" comes later than the requests of this turn, of which none may take it.
    if (this.#user === undefined) this.#closed();
  };

  #notTaken(error: Error): void {
    this.#failure ??= error.message;
    if (this.#user === undefined) this.destroy();
  }

  #expired(): void {
    const user = this.#user;
    if (user === undefined) return this.#expiredIdle();
    const { settings } = this.#owner;
    const readTimeout = user.timeouts?.readTimeout ?? settings.readTimeout;
    const writeTimeout = user.timeouts?.writeTimeout ?? settings.writeTimeout;
    if (!this.#isConnected) user.timedOut(`it could not be connected to within ${settings.dialTimeout} ms`);
    else if (!user.isRequestSent) user.timedOut(`it took nothing of the request for ${writeTimeout} ms`);
    else user.timedOut(`nothing of its answer came for ${readTimeout} ms`);
  }

  #expiredIdle(): void {
    const rest = this.#idleTime - timeSinceTick(this.#idleTick);
    this.#idleTime = 0;
    if (rest > 0) this.#waitFor(rest);
    else this.destroy();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadline.clear();
    this.output.closed();
    const user = this.#user;
    this.#user = undefined;
    this.#owner.closed(this);
    user?.broken(this.#failure);
  }
}

/** A connection that receives this much in one read gets its own buffers: copying would cost more. */
const muchRead = 16 * 1024;

function nodeGone(): HemiError {
  return new HemiError("HEMI_PEER_GONE", "the node has closed the connection");
}
