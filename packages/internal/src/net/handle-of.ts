// The runtime's own object behind a socket or a server.

import { Socket, type Server, type SocketConstructorOpts } from "node:net";

/**
 * What the runtime has beneath a socket or a server; `undefined` if it has none, such as when it is closed. Who asks
 * checks what it offers: other versions of the runtime may have something else there.
 */
export function handleOf(owner: Socket | Server): object | undefined {
  // Faster than `Reflect`, which costs a new connection half a microsecond.
  const handle = "_handle" in owner ? owner._handle : undefined;
  return typeof handle === "object" && handle !== null ? handle : undefined;
}

/** A socket on a handle. It is not read before somebody reads it. Throws if the handle is not as it should be. */
export function socketOn(handle: object, options: SocketConstructorOpts = {}): Socket {
  // Types of the runtime do not list these options.
  const unlisted: object = { handle, manualStart: true };
  return new Socket({ ...options, ...unlisted });
}
