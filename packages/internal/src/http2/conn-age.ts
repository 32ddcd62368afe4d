// The age of an HTTP/2 connection: when its client is to make another one, and until when its streams may go on.

import type { Deadline } from "@hemi/common";

/** What it needs of the server. Durations in ms, read when used: live. */
export interface AgeServer {
  readonly settings: { readonly http2MaxConnAge: number; readonly http2ConnAgeGrace: number };
  makeDeadline(onExpired: () => void): Deadline;
}

export interface AgeEvents {
  /** No new streams are wanted. */
  readonly isOld: () => void;
  /** Those that still run have had their time. */
  readonly isTooOld: () => void;
}

export class ConnAge {
  readonly #deadline: Deadline;
  #isOld = false;

  /** `undefined` where connections may become as old as they like. */
  static of(server: AgeServer, events: AgeEvents): ConnAge | undefined {
    return server.settings.http2MaxConnAge === 0 ? undefined : new ConnAge(server, events);
  }

  constructor(server: AgeServer, { isOld, isTooOld }: AgeEvents) {
    const { settings } = server;
    this.#deadline = server.makeDeadline(() => {
      if (this.#isOld) return isTooOld();
      this.#isOld = true;
      this.#deadline.set(settings.http2ConnAgeGrace);
      isOld();
    });
    // All clients of a server that has restarted would come back at the same time.
    this.#deadline.set(settings.http2MaxConnAge * (0.9 + 0.2 * Math.random()));
  }

  /** The connection is over. */
  end(): void {
    this.#deadline.clear();
  }
}
