// A listening socket that the leader keeps open, and that can be sent to another process.

import type { SendHandle } from "node:child_process";
import type { Socket } from "node:net";
import { HemiError } from "@hemi/hemi/base";
import { isHandle, rawHandle } from "./raw-handle.ts";

export interface OpenSocket {
  /**
   * As it is sent: a `net.Socket` at the other end would begin to read from it. Throws HEMI_LISTEN after `close`.
   */
  readonly handle: SendHandle;
  close(): void;
}

/** A socket of this process. */
export class OwnSocket implements OpenSocket {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get handle(): SendHandle {
    return rawHandle(this.#socket);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A socket that another process has sent. Throws HEMI_LISTEN if it is none. */
export function receivedSocket(handle: unknown): OpenSocket {
  if (!isHandle(handle)) throw new HemiError("HEMI_LISTEN", "the other leader has sent no socket");
  return { handle, close: () => handle.close() };
}
