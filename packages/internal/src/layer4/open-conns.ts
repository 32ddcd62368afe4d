// The open connections of a router. A reload ends those that work with components it drops.

import { afterRunning } from "@hemi/common";
import type { EndingWork } from "../component/part.ts";
import type { Taker } from "./routed-cases.ts";

/** What has to be known of a connection. */
export interface OpenConn {
  readonly taker: Taker | undefined;
  /** Ends it at once. */
  destroy(): void;
}

export class OpenConns<Conn extends OpenConn> {
  readonly #all: () => Iterable<Conn>;
  /** For those who wait until connections have ended. */
  readonly #waiting = new Set<(ended: Conn) => void>();

  /** `all`: those that are open. */
  constructor(all: () => Iterable<Conn>) {
    this.#all = all;
  }

  /** Call it when one has ended. */
  ended(conn: Conn): void {
    for (const look of this.#waiting) look(conn);
  }

  /**
   * Waits for the connections that a dropped component has, or one of `users`, which work with one that is dropped.
   * Ends those that are left at `deadline`: see `settle` of `Part`.
   */
  async settle(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): Promise<void> {
    const left = new Set([...this.#all()].filter((conn) => isConcerned(conn, dropped, users)));
    if (left.size === 0) return;
    const forget = afterRunning(deadline - Date.now(), () => left.forEach((conn) => conn.destroy()));
    await this.until((ended) => {
      if (ended !== undefined) left.delete(ended);
      return left.size === 0;
    });
    forget();
  }

  /** Those that `settle` would wait for, counted by their cases. */
  count(dropped: ReadonlySet<object>, users: ReadonlySet<object>): ReadonlyMap<object, EndingWork> {
    const counts = new Map<object, EndingWork>();
    for (const conn of this.#all()) {
      if (conn.taker === undefined || !isConcerned(conn, dropped, users)) continue;
      const { part } = conn.taker.case;
      counts.set(part, { requests: 0, webSockets: 0, tunnels: (counts.get(part)?.tunnels ?? 0) + 1 });
    }
    return counts;
  }

  /** `isTrue` is asked at once, and each time that a connection has ended: which one. */
  until(isTrue: (ended?: Conn) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (ended?: Conn): void => {
        if (!isTrue(ended)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Whether a dropped component has it, or one that works with a dropped one. */
function isConcerned({ taker }: OpenConn, dropped: ReadonlySet<object>, users: ReadonlySet<object>): boolean {
  return taker !== undefined && (dropped.has(taker.case.part) || dropped.has(taker.dealet) || users.has(taker.dealet));
}
