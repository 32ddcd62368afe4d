// Sends small pieces at once (TCP_NODELAY) without a call of the system for each accepted socket.

import type { Server } from "node:net";

/**
 * Has the sockets that the server accepts inherit TCP_NODELAY from the one that listens. Returns false if they do not:
 * it has to be set on each of them. To be called once the server listens.
 */
export function inheritNoDelay(server: Server): boolean {
  const handle: unknown = Reflect.get(server, "_handle");
  // Other systems may do the same; of Linux it is known.
  return process.platform === "linux" && setsNoDelay(handle) && handle.setNoDelay(true) === 0;
}

function setsNoDelay(handle: unknown): handle is { setNoDelay(isSet: boolean): unknown } {
  return (
    typeof handle === "object" && handle !== null && "setNoDelay" in handle && typeof handle.setNoDelay === "function"
  );
}
