// Sockets as they are sent to other processes.

import type { Socket } from "node:net";
import { HemiError } from "@hemi/hemi/base";

/** A socket must be sent as its handle: a `net.Socket` at the other end would begin to read from it. */
export function rawHandle(socket: Socket): Socket {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (!isHandle(handle)) throw new HemiError("HEMI_LISTEN", "the socket was closed");
  return handle;
}

/** The types of `send` know the objects around handles only; it takes handles as well. */
function isHandle(value: unknown): value is Socket {
  return typeof value === "object" && value !== null && "fd" in value;
}
