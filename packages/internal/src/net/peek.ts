// Inspects the first bytes of a client before the server is chosen: its protocol, the requested server, its address.
//
//  accepted ── bytes ──> look: undefined ── bytes ──> look: found ──> the socket, paused, with all bytes put back,
//                │                                                    is passed to its server
//                └── the client closed its side before: ended

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

export interface PeekOptions<Found> {
  /**
   * Called with all bytes so far, each time more arrive. `undefined`: more bytes are needed. It must decide within a
   * fixed number of bytes.
   */
  readonly look: (bytes: Buffer) => Found | undefined;
  /** The socket is paused. Its next reader receives all bytes from the start. */
  readonly found: (found: Found) => void;
  /** The client has closed its side, and its bytes do not suffice. */
  readonly ended: () => void;
}

/** Reads until `look` decides. The caller sets the time limit, and destroys the socket when it expires. */
export function peek<Found>(socket: Socket, { look, found, ended }: PeekOptions<Found>): void {
  let bytes: Buffer | undefined;
  const stop = (): void => {
    socket.off("data", received).off("end", left);
  };
  const received = (chunk: Buffer): void => {
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    const result = look(bytes);
    if (result === undefined) return;
    stop();
    socket.pause();
    socket.unshift(bytes);
    found(result);
  };
  const left = (): void => {
    stop();
    ended();
  };
  socket.on("data", received).on("end", left);
}
