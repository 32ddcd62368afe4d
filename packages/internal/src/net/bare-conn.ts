// A connection of TCP without a `net.Socket`: on the handle of the runtime, read into the buffer that all share, and
// written at the pace of its peer. It behaves as a socket with `allowHalfOpen`, and can become one.

import { isIP, Socket, type Server } from "node:net";
import { getSystemErrorName } from "node:util";
import { handleOf, socketOn } from "./handle-of.ts";
import { sharedBuffer, sharedPiece } from "./shared-buffer.ts";
import {
  endOfInput,
  isTcpHandle,
  learnTcpHandles,
  noId,
  tcpHandles,
  type Request,
  type TcpHandle,
  type TcpHandles,
  type WriteRequest,
} from "./tcp-handles.ts";
import type { Wire, WireUser } from "./wire.ts";

/** Where a handle has its connection, for the functions that the runtime calls. */
const connKey = Symbol("bare connection");

interface OwnedHandle extends TcpHandle {
  [connKey]?: BareConn;
}

/** A connection, or one that is being dialled. Nothing is read before `resume`. */
export class BareConn implements Wire {
  readonly isSecure = false;
  isDestroyed = false;
  isFinished = false;
  unsent = 0;
  needsDrain = false;
  readonly #handles: TcpHandles;
  readonly #handle: OwnedHandle;
  #user: WireUser | undefined;
  #socket: Socket | undefined;
  #isReading = false;
  #readsShared = false;
  #hasEnded = false;
  #isShut = false;
  /** The system has been told to shut our side: everything written has been passed on. */
  #isShutting = false;
  #closeListeners: (() => void)[] | undefined;

  /** `handle`: of a connection that was accepted. */
  constructor(handle: TcpHandle, handles: TcpHandles) {
    const owned: OwnedHandle = handle;
    owned[connKey] = this;
    this.#handle = owned;
    this.#handles = handles;
  }

  /** Dials an IP address. `undefined`: only sockets can do that here. Whoever uses it learns of all errors. */
  static dial(host: string, port: number): BareConn | undefined {
    const handles = tcpHandles();
    const family = isIP(host);
    if (handles === undefined || family === 0) return undefined;
    const conn = new BareConn(new handles.Handle(0), handles);
    conn.#dial(host, port, family === 6);
    return conn;
  }

  #dial(host: string, port: number, isIPv6: boolean): void {
    const request: DialRequest = new this.#handles.ConnectRequest();
    request.oncomplete = dialled;
    request.dialled = { conn: this, host, port };
    this.#handle.setNoDelay(true);
    const status = isIPv6 ? this.#handle.connect6(request, host, port) : this.#handle.connect(request, host, port);
    // Its user learns of that once it has one.
    if (status !== 0) process.nextTick(() => this.connected(status, host, port));
  }

  /** The user learns what happens from now on. */
  usedBy(user: WireUser): void {
    this.#user = user;
  }

  // ---- addresses, as of a socket ----

  get remoteAddress(): string | undefined {
    return this.#peerName.address;
  }
  get remotePort(): number | undefined {
    return this.#peerName.port;
  }
  get localAddress(): string | undefined {
    return this.#ownName.address;
  }
  get localPort(): number | undefined {
    return this.#ownName.port;
  }

  get #peerName(): { address?: string; port?: number } {
    const name = {};
    if (!this.destroyed) this.#handle.getpeername(name);
    return name;
  }
  get #ownName(): { address?: string; port?: number } {
    const name = {};
    if (!this.destroyed) this.#handle.getsockname(name);
    return name;
  }

  /** As of a socket. */
  get destroyed(): boolean {
    return this.#socket?.destroyed ?? this.isDestroyed;
  }

  get fd(): number {
    return this.#handle.fd;
  }

  setNoDelay(): void {
    this.#handle.setNoDelay(true);
  }

  /** Calls the listener when the connection has closed, also after it has become a socket. */
  once(_event: "close", listener: () => void): void {
    if (this.#socket !== undefined) this.#socket.once("close", listener);
    else (this.#closeListeners ??= []).push(listener);
  }

  // ---- reading ----

  resume(): void {
    if (this.#isReading || this.isDestroyed || this.#hasEnded) return;
    this.#isReading = true;
    if (!this.#readsShared) {
      this.#readsShared = true;
      this.#handle.onread = onread;
      this.#handle.useUserBuffer(sharedBuffer);
    }
    const status = this.#handle.readStart();
    if (status !== 0) this.#fail(systemError(status, "read"));
  }

  pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  /** Called by the runtime. */
  read(): void {
    const outcome = this.#handles.readOutcome();
    if (this.isDestroyed || outcome === 0) return;
    if (typeof outcome === "object") return this.#fail(outcome);
    if (outcome === endOfInput) return this.#end();
    this.#user?.wireReceived(sharedPiece(outcome), true);
  }

  #end(): void {
    this.#hasEnded = true;
    this.#isReading = false;
    this.#user?.wireEnded();
    this.#closeIfComplete();
  }

  // ---- writing ----

  write(bytes: Uint8Array, written?: () => void): boolean {
    if (!this.#mayWrite()) return refused(written);
    const request = spareRequest ?? new this.#handles.WriteRequest();
    return this.#wrote(request, this.#handle.writeBuffer(request, bytes), bytes, bytes.length, written);
  }

  writeText(text: string): boolean {
    if (!this.#mayWrite()) return false;
    const request = spareRequest ?? new this.#handles.WriteRequest();
    return this.#wrote(request, this.#handle.writeLatin1String(request, text), undefined, text.length);
  }

  #mayWrite(): boolean {
    if (this.#isShut && !this.isDestroyed) {
      this.#fail(Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" }));
    }
    return !this.isDestroyed;
  }

  #wrote(
    request: WriteRequest,
    status: number,
    bytes: Uint8Array | undefined,
    size: number,
    done?: () => void,
  ): boolean {
    if (status === 0 && request.getAsyncId() !== noId) {
      spareRequest = undefined;
      const pending: PendingWrite = request;
      pending.oncomplete = written;
      // The bytes have to live as long as the system needs them.
      pending.written = { conn: this, bytes, size, done };
      this.unsent += size;
      if (this.unsent >= maxUnsent) this.needsDrain = true;
      return !this.needsDrain;
    }
    // All sent, or nothing: the request was not needed.
    if (status === 0) spareRequest = request;
    done?.();
    if (status !== 0) this.#fail(systemError(status, "write"));
    return status === 0;
  }

  /** Called by the runtime. */
  written(status: number, size: number): void {
    this.unsent -= size;
    if (this.#socket !== undefined) {
      if (status !== 0) this.#socket.destroy(systemError(status, "write"));
    } else if (this.isDestroyed) return;
    else if (status !== 0) return this.#fail(systemError(status, "write"));
    if (this.unsent > 0) return;
    if (this.needsDrain) {
      this.needsDrain = false;
      this.#user?.wireDrained();
    } else if (this.#isShut && this.#socket === undefined) this.#shutDown();
  }

  // ---- ends ----

  end(): void {
    if (this.#isShut || this.isDestroyed) return;
    this.#isShut = true;
    // As of a stream, nobody is to write any more.
    this.needsDrain = false;
    if (this.unsent === 0) this.#shutDown();
  }

  /** Not before everything is sent: what is being shut can neither be reset, nor become a socket that waits for it. */
  #shutDown(): void {
    this.#isShutting = true;
    const request: ShutdownRequest = new this.#handles.ShutdownRequest();
    request.oncomplete = shut;
    request.conn = this;
    const status = this.#handle.shutdown(request);
    if (status !== 0) this.shut(status);
  }

  /** Called by the runtime. */
  shut(status: number): void {
    if (this.isDestroyed) return;
    // 1: it was shut at once. If the peer has reset the connection, reading tells.
    if (status < 0 && !isNotConnected(status)) return this.#fail(systemError(status, "shutdown"));
    this.isFinished = true;
    this.#closeIfComplete();
  }

  #closeIfComplete(): void {
    if (this.#hasEnded && this.isFinished) this.destroy();
  }

  destroy(): void {
    if (this.#socket !== undefined) this.#socket.destroy();
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.#handle.close(closed);
  }

  reset(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    // A reset that fails would keep it open for ever: of what is being shut, or has not been opened yet.
    const mayReset = (!this.#isShutting || this.isFinished) && this.#handle.fd >= 0;
    if (mayReset) this.#handle.reset(closed);
    else this.#handle.close(closed);
  }

  /** Called by the runtime. */
  closed(): void {
    const listeners = this.#closeListeners;
    this.#closeListeners = undefined;
    this.#user?.wireClosed();
    if (listeners !== undefined) for (const listener of listeners) listener();
  }

  #fail(error: Error): void {
    if (this.isDestroyed) return;
    this.#user?.wireFailed(error);
    this.destroy();
  }

  // ---- dialling ----

  /** Called by the runtime. */
  connected(status: number, host: string, port: number): void {
    if (this.isDestroyed) return;
    if (status === 0) this.#user?.wireConnected();
    else this.#fail(systemError(status, "connect", host, port));
  }

  // ---- becoming a socket ----

  /**
   * The connection as a socket, from now on: it is not read yet, and its user learns nothing more but of what is still
   * to be written. Each call returns the same one.
   */
  toSocket(): Socket {
    return (this.#socket ??= this.isDestroyed ? new Socket().destroy() : this.#becomeSocket());
  }

  #becomeSocket(): Socket {
    this.pause();
    const socket = socketOn(this.#handle, { allowHalfOpen: true, writable: !this.#isShutting });
    if (this.#isShut) socket.end();
    if (this.#hasEnded) socket.push(null);
    this.isDestroyed = true;
    for (const listener of this.#closeListeners ?? []) socket.once("close", listener);
    this.#closeListeners = undefined;
    return socket;
  }
}

/**
 * Gives each connection that a server accepts on TCP to who takes it without a socket. If nobody does, the server makes
 * a socket of it, as ever. To be called when it listens.
 */
export function acceptBare(server: Server, taker: () => ((conn: BareConn) => void) | undefined): void {
  learnTcpHandles(server);
  const listening = handleOf(server);
  if (listening === undefined || !accepts(listening)) return;
  const acceptAsSocket = listening.onconnection;
  listening.onconnection = function (status, accepted): void {
    const take = taker();
    const handles = take && tcpHandles();
    if (handles !== undefined && status === 0 && isTcpHandle(accepted, handles))
      take?.(new BareConn(accepted, handles));
    else acceptAsSocket.call(this, status, accepted);
  };
}

/** The handle of a server. */
interface ListeningHandle {
  onconnection: (this: unknown, status: number, accepted: unknown) => void;
}

function accepts(handle: object): handle is ListeningHandle {
  return "onconnection" in handle && typeof handle.onconnection === "function";
}

interface DialRequest extends Request {
  dialled?: { readonly conn: BareConn; readonly host: string; readonly port: number };
}

interface ShutdownRequest extends Request {
  conn?: BareConn;
}

interface PendingWrite extends WriteRequest {
  written?: {
    readonly conn: BareConn;
    readonly bytes: Uint8Array | undefined;
    readonly size: number;
    readonly done: (() => void) | undefined;
  };
}

/** One that has not been needed. */
let spareRequest: WriteRequest | undefined;

// The runtime calls these with the handle, or the request, as `this`.

function onread(this: OwnedHandle): void {
  this[connKey]?.read();
}

function closed(this: OwnedHandle): void {
  this[connKey]?.closed();
}

function dialled(this: DialRequest, status: number): void {
  if (this.dialled === undefined) return;
  const { conn, host, port } = this.dialled;
  conn.connected(status, host, port);
}

function written(this: PendingWrite, status: number): void {
  if (this.written === undefined) return;
  const { conn, size, done } = this.written;
  done?.();
  conn.written(status, size);
}

function shut(this: ShutdownRequest, status: number): void {
  this.conn?.shut(status);
}

function refused(done: (() => void) | undefined): false {
  done?.();
  return false;
}

/** As the runtime makes them: with `code`, `errno` and `syscall`. */
function systemError(errno: number, syscall: string, address?: string, port?: number): Error {
  const code = getSystemErrorName(errno);
  if (address === undefined) return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
  const message = `${syscall} ${code} ${address}:${port}`;
  return Object.assign(new Error(message), { errno, code, syscall, address, port });
}

function isNotConnected(errno: number): boolean {
  return getSystemErrorName(errno) === "ENOTCONN";
}

/** In bytes, as of a stream of the runtime. */
const maxUnsent = 64 * 1024;
