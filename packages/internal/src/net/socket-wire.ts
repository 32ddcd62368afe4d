// A socket as the wire of a link: read without a stream's cost where that is possible.

import type { Socket } from "node:net";
import { readAsStream, readDirectly, resumeReading } from "./direct-reading.ts";
import { DirectWriter } from "./direct-writer.ts";
import type { TlsFacts } from "./tls/tls-facts.ts";
import type { Wire, WireUser } from "./wire.ts";

/** Where a socket has its user, for the listeners. No `WeakMap`: that costs each new connection 20 us of collection. */
const userKey = Symbol("wire user");

interface UsedSocket extends Socket {
  [userKey]?: WireUser | undefined;
}

export class SocketWire implements Wire {
  readonly socket: Socket;
  readonly #writer: DirectWriter;
  readonly #tls: TlsFacts | undefined;
  readonly #former: Wire | undefined;

  /**
   * Reads from now on. `tls`: what the handshake of an accepted one established. `former`: what the connection was
   * before, which may still have to send what was written.
   */
  constructor(socket: Socket, user: WireUser, tls: TlsFacts | undefined, former?: Wire) {
    this.socket = socket;
    this.#tls = tls;
    this.#former = former;
    this.#writer = new DirectWriter(socket);
    const used: UsedSocket = socket;
    used[userKey] = user;
    readDirectly(socket, onShared, onData);
    socket.on("end", onEnd).on("drain", onDrain);
    socket.on("error", onError).on("close", onClose);
  }

  get isDestroyed(): boolean {
    return this.socket.destroyed;
  }

  get isFinished(): boolean {
    return this.socket.writableFinished;
  }

  get isSecure(): boolean {
    return this.#tls !== undefined || !this.#writer.isPlain;
  }

  /** What was written past the stream counts as one. */
  get unsent(): number {
    return (this.#former?.unsent ?? 0) + this.socket.writableLength + (this.#writer.isSending ? 1 : 0);
  }

  get needsDrain(): boolean {
    return this.socket.writableNeedDrain || this.#former?.needsDrain === true;
  }

  write(bytes: Uint8Array, written?: () => void): boolean {
    return written === undefined ? this.socket.write(bytes) : this.socket.write(bytes, written);
  }

  writeText(text: string): boolean {
    return this.#writer.write(text);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    resumeReading(this.socket);
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** UNIX sockets know no reset; a dialled TLS socket cannot be reset, and its peer misses the `close_notify`. */
  reset(): void {
    const { socket } = this;
    if (this.#tls !== undefined) this.#tls.reset();
    else if (socket.remotePort === undefined || this.isSecure || isShutting(socket)) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** Its user learns of the connection with this event. Default: it does not. */
  tellConnected(event: "connect" | "secureConnect"): void {
    this.socket.on(event, onConnect);
  }

  /** Its peer has ended before, and the user knows. */
  forgetEnd(): void {
    this.socket.off("end", onEnd);
  }

  /** Leaves the socket to others: paused, to be read as a stream. The user learns nothing more. */
  release(): void {
    const { socket } = this;
    socket.pause();
    readAsStream(socket, onData);
    const used: UsedSocket = socket;
    used[userKey] = undefined;
    socket.off("end", onEnd).off("drain", onDrain);
    socket.off("error", onError).off("close", onClose);
  }
}

/** The system is shutting it, after everything written: the runtime would fail to reset it, and keep it for ever. */
function isShutting({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}

// Listeners that all sockets share: ones of its own would cost each connection 400 bytes for as long as it is open.

function onData(this: UsedSocket, bytes: Buffer): void {
  this[userKey]?.wireReceived(bytes, false);
}

function onShared(this: UsedSocket, bytes: Buffer): void {
  this[userKey]?.wireReceived(bytes, true);
}

function onConnect(this: UsedSocket): void {
  this[userKey]?.wireConnected();
}

function onEnd(this: UsedSocket): void {
  this[userKey]?.wireEnded();
}

function onDrain(this: UsedSocket): void {
  this[userKey]?.wireDrained();
}

function onError(this: UsedSocket, error: Error): void {
  this[userKey]?.wireFailed(error);
}

function onClose(this: UsedSocket): void {
  this[userKey]?.wireClosed();
}
