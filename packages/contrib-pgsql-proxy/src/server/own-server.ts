// The server of one client that has proved to it who it is. Nobody else gets its session: it ends with that of the
// client.

import type { PoolWaiter, ServerSource } from "./pool.ts";
import type { ServerConn } from "./server-conn.ts";

export class OwnServer implements ServerSource {
  readonly #conn: ServerConn;

  /** `conn` is ready. */
  constructor(conn: ServerConn) {
    this.#conn = conn;
  }

  acquire(waiter: PoolWaiter): void {
    waiter.got(this.#conn);
  }

  /** Nobody waits. */
  forget(): void {}

  release(conn: ServerConn): void {
    conn.terminate();
  }
}
