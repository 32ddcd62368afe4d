// Looks at what a client sends first, before it is known who serves it: which protocol it speaks, whom it wants, whence it comes.
//
//   accepted ── bytes ──> look: undefined ── bytes ──> look: found ──> the socket, paused, all its bytes in it again
//                 │                                                    is handed to whom it concerns
//                 └── the client shut its side before: ended

import type { Socket } from "node:net";

export interface PeekOptions<Found> {
  /** Gets all that has come so far, each time there is more. `undefined`: it takes more to tell. It must tell within a size of its own. */
  readonly look: (bytes: Buffer) => Found | undefined;
  /** The socket is paused, and whoever reads it next gets all of its bytes. */
  readonly found: (found: Found) => void;
  /** The client has shut its side, and what it sent does not tell. */
  readonly ended: () => void;
}

/** Reads until `look` tells. How long it may take is the caller's to say, who destroys the socket when it is too long. */
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
