// Sockets as they are sent to other processes.

import type { Server, Socket } from "node:net";
import { HemiError } from "@hemi/hemi/base";

/** What the types of `send` do not know: it takes handles as well as the objects around them. */
export type RawHandle = Socket & { close(): void };

/** A socket must be sent as its handle: a `net.Socket` at the other end would begin to read from it. */
export function rawHandle(owner: Socket | Server): RawHandle {
  const handle: unknown = Reflect.get(owner, "_handle");
  if (!isHandle(handle)) throw new HemiError("HEMI_LISTEN", "the socket was closed");
  return handle;
}

export function isHandle(value: unknown): value is RawHandle {
  return typeof value === "object" && value !== null && "fd" in value && "close" in value;
}
