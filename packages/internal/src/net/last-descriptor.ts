// Notices that a connection has taken the last descriptor of the process. The runtime accepts further connections only
// to close them then, and tells nobody.

import type { Socket } from "node:net";
import { descriptorLimit } from "@hemi/common";
import { BareConn } from "./bare-conn.ts";
import { handleOf } from "./handle-of.ts";

/** The limit if this connection has the last descriptor below it; otherwise `undefined`. */
export function limitReachedBy(conn: Socket | BareConn): number | undefined {
  const handle = conn instanceof BareConn ? conn : handleOf(conn);
  if (handle === undefined || !("fd" in handle)) return undefined;
  limit ??= descriptorLimit();
  // The system gives the lowest number that is free: it gives the highest one when all others are in use.
  return handle.fd === limit - 1 ? limit : undefined;
}

let limit: number | undefined;
