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
      const leftover = type === 67 ? leftoverOf(bytes, start, end, true) : "none";
      if (leftover === "clean" || leftover === "forgotten") conn.statements.clear();
      if (leftover === "clean") conn.others.clear();
      else if (leftover === "reset") conn.forgetOthers();
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
