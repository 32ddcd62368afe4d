// Writes short texts to a socket past the bookkeeping of its stream, which is a tenth of what a write costs outside of
// the kernel.

import { Socket } from "node:net";

export class DirectWriter {
  readonly #socket: Socket;
  /**
   * Whether it is a socket without TLS. Those of TLS, and other streams, take one write at a time; the system's queue
   * takes several.
   */
  readonly isPlain: boolean;
  /** A text of ours is not sent yet: others follow it through the stream, which has its bounds. */
  #isSending = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.isPlain = socket instanceof Socket && !("encrypted" in socket);
  }

  /** Text that was written past the stream is not sent yet; the stream knows nothing of it. */
  get isSending(): boolean {
    return this.#isSending;
  }

  /**
   * Writes text of bytes 0 to 255. Returns, as the stream's `write`, whether more may be written now; if not, `drain`
   * of the socket follows.
   */
  write(text: string): boolean {
    const socket = this.#socket;
    const isPast =
      this.isPlain && !this.#isSending && text.length <= maxPast && socket.writableLength === 0 && !socket.connecting;
    if (!isPast || !socket.writable) return socket.write(text, "latin1");
    this.#isSending = true;
    socket._write(text, "latin1", this.#sent);
    return true;
  }

  readonly #sent = (error?: Error | null): void => {
    this.#isSending = false;
    if (error !== null && error !== undefined) this.#socket.destroy(error);
  };
}

/** In characters. Not a prop: the larger the text, the less the bookkeeping costs in proportion. */
const maxPast = 16 * 1024;
