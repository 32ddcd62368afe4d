// Sends small pieces at once (TCP_NODELAY) without a call of the system for each accepted socket.

import type { Server } from "node:net";
import { handleOf } from "./handle-of.ts";

/**
 * Has the sockets that the server accepts inherit TCP_NODELAY from the one that listens. Returns false if they do not:
 * it has to be set on each of them. To be called once the server listens.
 */
export function inheritNoDelay(server: Server): boolean {
  const handle = handleOf(server);
  // Other systems may do the same; of Linux it is known.
  return process.platform === "linux" && handle !== undefined && setsNoDelay(handle) && handle.setNoDelay(true) === 0;
}

function setsNoDelay(handle: object): handle is { setNoDelay(isSet: boolean): unknown } {
  return "setNoDelay" in handle && typeof handle.setNoDelay === "function";
}
