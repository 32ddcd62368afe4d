// One end of a connection whose bytes go elsewhere as they come: read without a stream's cost where the socket can do
// that, and written at the pace of its peer.

import { Buffer } from "node:buffer";
import type { OnReadOpts, Socket } from "node:net";
import { isPromiseLike } from "@hemi/common";
import type { Pacer } from "./pacer.ts";
import { DirectWriter } from "./direct-writer.ts";
import { directOnread, readAsStream, readDirectly, resumeReading } from "./direct-reading.ts";
import { readBlocks } from "./read-blocks.ts";
import type { TlsFacts } from "./tls/tls-facts.ts";

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

/** Where a socket has its link, for the listeners. No `WeakMap`: that costs each new connection 20 us of collection. */
const linkKey = Symbol("link");

interface LinkedSocket extends Socket {
  [linkKey]?: Link | undefined;
}

/** One side of a connection that is passed on: read directly, and written at the pace of the peer. */
export class Link {
  /** How many bytes have come from the peer, and how many were written to it. */
  received = 0;
  /** The number of bytes written so far. */
  sent = 0;
  /** The peer sends nothing more. */
  hasEnded = false;
  /** Why the connection broke; `undefined` as long as it has not. */
  error: Error | undefined;
  readonly #socket: Socket;
  readonly #writer: DirectWriter;
  readonly #tls: TlsFacts | undefined;
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
   * `open` returns the socket: an accepted one, or one that it dials with the option `onread` and `allowHalfOpen`. It
   * is read from the first byte on, unless it is held. `tls` is what the handshake of an accepted one established.
   */
  constructor(open: (onread: OnReadOpts) => Socket, user: LinkUser, tls?: TlsFacts) {
    this.#user = user;
    this.#tls = tls;
    const socket = open(directOnread);
    this.#socket = socket;
    this.#writer = new DirectWriter(socket);
    const linked: LinkedSocket = socket;
    linked[linkKey] = this;
    readDirectly(socket, Link.#onShared, Link.#onData);
    socket.on("end", Link.#onEnd).on("drain", Link.#onDrain);
    socket.on("error", Link.#onError).on("close", Link.#onClose);
  }

  /** Only for what this class has no method for: addresses, TLS. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Whether the socket is closed for both directions. */
  get isDestroyed(): boolean {
    return this.#socket.destroyed;
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
    if (connectEvent !== undefined) this.#socket.on(connectEvent, Link.#onConnect);
  }

  /** Returns false if the peer is slower than its writer: `drained` follows. `isShared`: the bytes will change. */
  write(bytes: Buffer, isShared: boolean): boolean {
    this.sent += bytes.length;
    const mayGoOn = this.#write(bytes, isShared);
    return this.#writePace === undefined ? mayGoOn : this.#writePace.moved(bytes.length) && mayGoOn;
  }

  #write(bytes: Buffer, isShared: boolean): boolean {
    // A write of nothing lets TLS decrypt what follows: into the shared buffer, which our user may be reading.
    if (bytes.length === 0) return !this.#socket.writableNeedDrain;
    if (!isShared) return this.#socket.write(bytes);
    // A short text is cheaper to write than a buffer, and costs no copy if it can be sent at once.
    if (bytes.length <= maxAsText) return this.#writer.write(bytes.toString("latin1"));
    if (bytes.length < minInBlock) return this.#socket.write(Buffer.from(bytes));
    const block = readBlocks.lend();
    bytes.copy(block);
    return this.#socket.write(block.subarray(0, bytes.length), () => readBlocks.giveBack(block));
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
    if (isPaused) this.#socket.pause();
    else resumeReading(this.#socket);
  }

  /** Whether both sides have shut the connection, and everything written has been passed on. */
  get isComplete(): boolean {
    return this.error === undefined && this.hasEnded && (this.#isClosedWhole || this.#socket.writableFinished);
  }

  /** Shuts our side after everything written. The socket closes when the peer has shut its side, too. */
  end(): void {
    const socket = this.#socket;
    const isAllSent = socket.writableLength === 0 && !this.#writer.isSending;
    // Closing says the same to a peer that has shut its side, and takes one call of the system instead of two.
    this.#isClosedWhole = this.hasEnded && isAllSent && !this.#isSecure() && !socket.destroyed;
    if (this.#isClosedWhole) socket.destroy();
    else socket.end();
  }

  /** Closes the socket at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Destroys the connection so that the peer cannot take it for a regular end. UNIX sockets know no reset; a dialled
   * TLS socket cannot be reset, and its peer misses the `close_notify`.
   */
  reset(): void {
    const socket = this.#socket;
    if (this.#tls !== undefined) this.#tls.reset();
    else if (socket.remotePort === undefined || this.#isSecure()) socket.destroy();
    else socket.resetAndDestroy();
  }

  /**
   * Resets the connection because our own code has thrown this. The runtime calls us, and has nobody to tell: it would
   * end the process.
   */
  breakOff(thrown: unknown): void {
    this.error ??= thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#user.threw?.(thrown);
    this.#watcher?.linkThrew?.(thrown);
    if (!this.#socket.destroyed) this.reset();
  }

  /**
   * Gives the socket away: paused, to be read as a stream, with `unread` put back before all that is still to come. The
   * peer must not have ended. The link learns nothing more; who watches it learns of the end of the socket.
   */
  release(unread: Buffer): Socket {
    const socket = this.#socket;
    this.#stopPacing();
    socket.pause();
    readAsStream(socket, Link.#onData);
    const linked: LinkedSocket = socket;
    linked[linkKey] = undefined;
    socket.off("end", Link.#onEnd).off("drain", Link.#onDrain);
    socket.off("error", Link.#onError).off("close", Link.#onClose);
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

  #received(bytes: Buffer, isShared: boolean): void {
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

  /** A TLS connection ends with a `close_notify`. */
  #isSecure(): boolean {
    return this.#tls !== undefined || !this.#writer.isPlain;
  }

  #stopPacing(): void {
    this.#readPace?.stop();
    this.#writePace?.stop();
  }

  #ended(): void {
    this.hasEnded = true;
    try {
      this.heed(this.#user.ended());
    } catch (thrown) {
      this.breakOff(thrown);
    }
  }

  #mayWrite(): void {
    if (this.#writePace?.isWaiting === true || this.#socket.writableNeedDrain || this.#socket.destroyed) return;
    try {
      this.heed(this.#user.drained());
    } catch (thrown) {
      this.breakOff(thrown);
    }
  }

  #failed(error: Error): void {
    this.error ??= error;
    // Errors of TLS itself, unlike those of sockets, do not close the connection.
    this.#socket.destroy();
  }

  #connected(): void {
    try {
      this.#watcher?.linkConnected?.();
    } catch (thrown) {
      this.breakOff(thrown);
    }
  }

  #closed(): void {
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

  // Listeners that all links share: ones of its own would cost each connection 400 bytes for as long as it is open.

  static readonly #onData = function (this: LinkedSocket, bytes: Buffer): void {
    const link = this[linkKey];
    if (link !== undefined) link.#received(bytes, false);
  };
  static readonly #onShared = function (this: LinkedSocket, bytes: Buffer): void {
    const link = this[linkKey];
    if (link !== undefined) link.#received(bytes, true);
  };
  static readonly #onConnect = function (this: LinkedSocket): void {
    const link = this[linkKey];
    if (link !== undefined) link.#connected();
  };
  static readonly #onEnd = function (this: LinkedSocket): void {
    const link = this[linkKey];
    if (link !== undefined) link.#ended();
  };
  static readonly #onDrain = function (this: LinkedSocket): void {
    const link = this[linkKey];
    if (link !== undefined) link.#mayWrite();
  };
  static readonly #onError = function (this: LinkedSocket, error: Error): void {
    const link = this[linkKey];
    if (link !== undefined) link.#failed(error);
  };
  static readonly #onClose = function (this: LinkedSocket): void {
    const link = this[linkKey];
    if (link !== undefined) link.#closed();
  };
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

/** In bytes. Not a prop: it depends on the cost of a write. */
const maxAsText = 512;
/** In bytes. Large pieces are copied into memory that was used before: fresh memory costs more than the copy. */
const minInBlock = 8 * 1024;
