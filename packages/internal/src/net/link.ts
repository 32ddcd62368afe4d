// One end of a connection whose bytes go elsewhere as they come: read without a stream's cost where that is possible,
// and written at the pace of its peer.

import { Buffer } from "node:buffer";
import type { OnReadOpts, Socket } from "node:net";
import { isPromiseLike } from "@hemi/common";
import { BareConn } from "./bare-conn.ts";
import { directOnread } from "./direct-reading.ts";
import type { Pacer } from "./pacer.ts";
import { readBlocks } from "./read-blocks.ts";
import { SocketWire } from "./socket-wire.ts";
import type { TlsFacts } from "./tls/tls-facts.ts";
import type { WireUser } from "./wire.ts";

/** Learns what happens at a link. What a method throws is the `error` of the link, and resets this connection alone. */
export interface LinkUser {
  /** `isShared`: the bytes are valid until it returns; otherwise they may be kept. */
  received(bytes: Buffer, isShared: boolean): void | Promise<void>;
  /** The peer has shut its side: it sends nothing more. */
  ended(): void | Promise<void>;
  /** Everything written has been passed on, after a `write` that returned false. */
  drained(): void | Promise<void>;
  /** The socket is closed. Nothing is called after this. */
  closed(): void | Promise<void>;
  /**
   * One of the methods above has thrown, or its promise rejects: a mistake of ours, to be told to the log. Unless it
   * was `closed`, the connection is reset after this.
   */
  threw?(error: unknown): void;
}

/** Needs to know the life of a link, whoever uses it. */
export interface LinkWatcher {
  /** A socket that was dialled is connected. */
  linkConnected?(): void;
  /** The socket is closed, and the user knows it. */
  linkClosed(): void;
  /** Like `threw` of the user, who knows it. */
  linkThrew?(error: unknown): void;
}

/** One side of a connection that is passed on: read directly, and written at the pace of the peer. */
export class Link implements WireUser {
  /** How many bytes have come from the peer, and how many were written to it. */
  received = 0;
  /** The number of bytes written so far. */
  sent = 0;
  /** The peer sends nothing more. */
  hasEnded = false;
  /** Why the connection broke; `undefined` as long as it has not. */
  error: Error | undefined;
  #wire: SocketWire | BareConn;
  #user: LinkUser;
  #watcher: LinkWatcher | undefined;
  #isHeld = false;
  /** Whether the socket is paused, for one of the two reasons. */
  #isPaused = false;
  /** It was closed where shutting our side would have said no more. */
  #isClosedWhole = false;
  #readPace: Pace | undefined;
  #writePace: Pace | undefined;

  /**
   * `open` returns a connection: an accepted one, or one that it dials, as a socket with the option `onread` and
   * `allowHalfOpen`. A socket is read from the first byte on, unless it is held; a connection without one is held at
   * first. `tls` is what the handshake of an accepted one established.
   */
  constructor(open: (onread: OnReadOpts) => Socket | BareConn, user: LinkUser, tls?: TlsFacts) {
    this.#user = user;
    const opened = open(directOnread);
    if (opened instanceof BareConn) {
      this.#wire = opened;
      this.#isHeld = true;
      this.#isPaused = true;
      opened.usedBy(this);
    } else this.#wire = new SocketWire(opened, this, tls);
  }

  /**
   * Only for what this class has no method for: addresses, TLS. A connection that had no socket gets one at the first
   * call, and goes on through it, at a higher cost.
   */
  get socket(): Socket {
    return this.#wire instanceof BareConn ? this.#becomeSocket(this.#wire) : this.#wire.socket;
  }

  #becomeSocket(bare: BareConn): Socket {
    const socket = bare.toSocket();
    if (socket.destroyed) return socket;
    const wire = new SocketWire(socket, this, undefined, bare);
    if (this.hasEnded) wire.forgetEnd();
    if (this.#isPaused) wire.pause();
    else wire.resume();
    this.#wire = wire;
    return socket;
  }

  /** Whether the connection is closed for both directions. */
  get isDestroyed(): boolean {
    return this.#wire.isDestroyed;
  }

  /** How many bytes have been written that the system has not taken. */
  get unsent(): number {
    return this.#wire.unsent;
  }

  /** A `write` has returned false, and `drained` has not followed. */
  get needsDrain(): boolean {
    return this.#wire.needsDrain;
  }

  /** From now on, another user learns what happens. */
  use(user: LinkUser): void {
    this.#user = user;
  }

  /**
   * This one learns of the end, too. One at most. `connectEvent`: with which the socket, which is dialled, tells that
   * it is connected. Default: it is not watched for.
   */
  watchedBy(watcher: LinkWatcher, connectEvent?: "connect" | "secureConnect"): void {
    this.#watcher = watcher;
    if (connectEvent !== undefined && this.#wire instanceof SocketWire) this.#wire.tellConnected(connectEvent);
  }

  /** Returns false if the peer is slower than its writer: `drained` follows. `isShared`: the bytes will change. */
  write(bytes: Buffer, isShared: boolean): boolean {
    this.sent += bytes.length;
    const mayGoOn = this.#write(bytes, isShared);
    return this.#writePace === undefined ? mayGoOn : this.#writePace.moved(bytes.length) && mayGoOn;
  }

  #write(bytes: Buffer, isShared: boolean): boolean {
    const wire = this.#wire;
    // A write of nothing lets TLS decrypt what follows: into the shared buffer, which our user may be reading.
    if (bytes.length === 0) return !wire.needsDrain;
    if (!isShared) return wire.write(bytes);
    // A short text is cheaper to write than a buffer, and costs no copy if it can be sent at once.
    if (bytes.length <= maxAsText) return wire.writeText(bytes.toString("latin1"));
    if (bytes.length < minInBlock) return wire.write(Buffer.from(bytes));
    const block = readBlocks.lend();
    bytes.copy(block);
    return wire.write(block.subarray(0, bytes.length), () => readBlocks.giveBack(block));
  }

  /** Stops or continues reading. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#pauseOrResume();
  }

  /**
   * For a dialled socket that has just connected, of which nothing is read before `work` returns: holds it from then
   * on, unless `work` has started it. To pause a socket and to resume it at once costs a new connection a microsecond.
   */
  holdAfter(work: () => void): void {
    this.#isHeld = true;
    work();
    this.#pauseOrResume();
  }

  /** Limits how fast the peer is read, in addition to limits that were set before. */
  paceReading(pacer: Pacer): void {
    this.#readPace ??= new Pace(() => this.#pauseOrResume());
    this.#readPace.pacers.push(pacer);
  }

  /** Limits how fast the peer is written to, in addition to limits that were set before. */
  paceWriting(pacer: Pacer): void {
    this.#writePace ??= new Pace(() => this.#mayWrite());
    this.#writePace.pacers.push(pacer);
  }

  #pauseOrResume(): void {
    const isPaused = this.#isHeld || this.#readPace?.isWaiting === true;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#wire.pause();
    else this.#wire.resume();
  }

  /** Whether both sides have shut the connection, and everything written has been passed on. */
  get isComplete(): boolean {
    return this.error === undefined && this.hasEnded && (this.#isClosedWhole || this.#wire.isFinished);
  }

  /** Shuts our side after everything written. The socket closes when the peer has shut its side, too. */
  end(): void {
    const wire = this.#wire;
    // Closing says the same to a peer that has shut its side, and takes one call of the system instead of two.
    this.#isClosedWhole ||= this.hasEnded && wire.unsent === 0 && !wire.isSecure && !wire.isDestroyed;
    if (this.#isClosedWhole) wire.destroy();
    else wire.end();
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#wire.destroy();
  }

  /**
   * Destroys the connection so that the peer cannot take it for a regular end. UNIX sockets know no reset; a dialled
   * TLS socket cannot be reset, and its peer misses the `close_notify`.
   */
  reset(): void {
    this.#wire.reset();
  }

  /**
   * Resets the connection because our own code has thrown this. The runtime calls us, and has nobody to tell: it would
   * end the process.
   */
  breakOff(thrown: unknown): void {
    this.error ??= thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#user.threw?.(thrown);
    this.#watcher?.linkThrew?.(thrown);
    if (!this.isDestroyed) this.reset();
  }

  /**
   * Gives the socket away: paused, to be read as a stream, with `unread` put back before all that is still to come. The
   * peer must not have ended. The link learns nothing more; who watches it learns of the end of the socket.
   */
  release(unread: Buffer): Socket {
    this.#stopPacing();
    const { socket } = this;
    if (this.#wire instanceof SocketWire) this.#wire.release();
    // What it was before may still tell that everything is sent.
    this.#user = nobody;
    const watcher = this.#watcher;
    if (watcher !== undefined) socket.once("close", () => watcher.linkClosed());
    if (unread.length > 0) socket.unshift(unread);
    return socket;
  }

  /**
   * The link of a socket that goes over the one given away, such as for TLS. Who watches this link learns of its
   * mistakes, too. `connected`: the handshake has been made.
   */
  succeededBy(socket: Socket, user: LinkUser, connected: () => void): Link {
    const successor = new Link(() => socket, user);
    const linkThrew = (error: unknown): void => this.#watcher?.linkThrew?.(error);
    successor.watchedBy({ linkConnected: connected, linkClosed: () => {}, linkThrew }, "secureConnect");
    return successor;
  }

  /** What a method of the user's has returned: an async one rejects where others throw. */
  heed(outcome: void | Promise<void>): void {
    if (outcome === undefined) return;
    // Users without types return what they like.
    if (isPromiseLike(outcome)) outcome.then(undefined, (thrown: unknown) => this.breakOff(thrown));
  }

  // ---- from the wire ----

  wireConnected(): void {
    try {
      this.#watcher?.linkConnected?.();
    } catch (thrown) {
      this.breakOff(thrown);
    }
  }

  wireReceived(bytes: Buffer, isShared: boolean): void {
    this.received += bytes.length;
    try {
      this.heed(this.#user.received(bytes, isShared));
    } catch (thrown) {
      return this.breakOff(thrown);
    }
    if (this.#readPace !== undefined) this.#paceRead(bytes.length);
  }

  #paceRead(size: number): void {
    if (this.#readPace?.moved(size) === false) this.#pauseOrResume();
  }

  #stopPacing(): void {
    this.#readPace?.stop();
    this.#writePace?.stop();
  }

  wireEnded(): void {
    this.hasEnded = true;
    try {
      this.heed(this.#user.ended());
    } catch (thrown) {
      this.breakOff(thrown);
    }
  }

  wireDrained(): void {
    this.#mayWrite();
  }

  #mayWrite(): void {
    if (this.#writePace?.isWaiting === true || this.#wire.needsDrain || this.isDestroyed) return;
    try {
      this.heed(this.#user.drained());
    } catch (thrown) {
      this.breakOff(thrown);
    }
  }

  wireFailed(error: Error): void {
    this.error ??= error;
    // Errors of TLS itself, unlike those of sockets, do not close the connection.
    this.#wire.destroy();
  }

  wireClosed(): void {
    this.#stopPacing();
    try {
      this.heed(this.#user.closed());
    } catch (thrown) {
      this.breakOff(thrown);
    }
    try {
      this.#watcher?.linkClosed();
    } catch (thrown) {
      this.breakOff(thrown);
    }
  }
}

/** The limits of one direction of a link. */
class Pace {
  readonly pacers: Pacer[] = [];
  readonly #goOn: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(goOn: () => void) {
    this.#goOn = goOn;
  }

  /** Whether nothing more should move for now. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Returns whether more may move; if not, `goOn` is called when it may. */
  moved(size: number): boolean {
    let wait = 0;
    for (const pacer of this.pacers) wait = Math.max(wait, pacer.take(size));
    if (wait >= 1 && this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#goOn();
      }, wait);
    }
    return !this.isWaiting;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** The user of a link that has been given away. */
const nobody: LinkUser = { received() {}, ended() {}, drained() {}, closed() {} };

/** In bytes. Not a prop: it depends on the cost of a write. */
const maxAsText = 512;
/** In bytes. Large pieces are copied into memory that was used before: fresh memory costs more than the copy. */
const minInBlock = 8 * 1024;
