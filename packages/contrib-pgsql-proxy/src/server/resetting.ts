// Cleans a session, so that the next client finds nothing of the last one.

import { message } from "../protocol/messages.ts";
import { leftoverOf } from "./leftovers.ts";
import type { ServerConn, ServerUser } from "./server-conn.ts";

/**
 * Runs the statement. `done(true)`: the session is clean; `done(false)`: the connection is to be closed. What is lost
 * meanwhile is told elsewhere.
 */
export function reset(conn: ServerConn, statement: string, done: (isClean: boolean) => void): void {
  let hasFailed = false;
  const user: ServerUser = {
    message(type, bytes, start, end) {
      if (type === 69) hasFailed = true;
      // Prepared statements may be left, such as by RESET ALL.
      if (type === 67) conn.takeLeftover(leftoverOf(bytes, start, end, true), false);
      if (type !== 90) return;
      conn.lend(undefined);
      conn.isDirty = false;
      done(!hasFailed);
    },
    told: () => {},
    notPrepared: () => {},
    notClosed: () => {},
    drained: () => {},
    lost: () => {},
  };
  conn.lend(user);
  conn.hold(false);
  conn.write(message("Q", `${statement}\0`), false);
}
