// Writes short texts and bytes to a socket past the bookkeeping of its stream, which is a tenth of what a write costs
// outside of the kernel.

import { Socket } from "node:net";

/** What the stream of a socket calls to write bytes. */
interface BytesWriter {
  _write(bytes: Uint8Array, encoding: "buffer", written: (error?: Error | null) => void): void;
}

export class DirectWriter {
  readonly #socket: Socket;
  /**
   * Whether it is a socket without TLS. Those of TLS, and other streams, take one write at a time; the system's queue
   * takes several.
   */
  readonly isPlain: boolean;
  /** What we have written is not sent yet: more follows it through the stream, which has its bounds. */
  #isSending = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.isPlain = socket instanceof Socket && !("encrypted" in socket);
  }

  /** What was written past the stream is not sent yet; the stream knows nothing of it. */
  get isSending(): boolean {
    return this.#isSending;
  }

  /**
   * Writes text of bytes 0 to 255. Returns, as the stream's `write`, whether more may be written now; if not, `drain`
   * of the socket follows.
   */
  write(text: string): boolean {
    const socket = this.#socket;
    if (!this.#mayPass(text.length)) return socket.write(text, "latin1");
    this.#isSending = true;
    socket._write(text, "latin1", this.#sent);
    return true;
  }

  /** The same for bytes, which must not be changed afterwards: they are not copied. */
  writeBytes(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (!this.#mayPass(bytes.length) || !writesBytes(socket)) return socket.write(bytes);
    this.#isSending = true;
    socket._write(bytes, "buffer", this.#sent);
    return true;
  }

  #mayPass(size: number): boolean {
    const socket = this.#socket;
    if (!this.isPlain || this.#isSending || size > maxPast || socket.writableLength > 0) return false;
    return !socket.connecting && socket.writable;
  }

  readonly #sent = (error?: Error | null): void => {
    this.#isSending = false;
    if (error !== null && error !== undefined) this.#socket.destroy(error);
  };
}

/** All do; types of the runtime do not list the encoding that stands for bytes. */
function writesBytes(socket: Socket): socket is Socket & BytesWriter {
  return "_write" in socket;
}

/** In bytes. Not a prop: the larger the write, the less the bookkeeping costs in proportion. */
const maxPast = 16 * 1024;
