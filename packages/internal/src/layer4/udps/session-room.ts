// How many sessions of datagrams there may be. A flood of datagrams from many, perhaps forged, addresses fills a router
// at most with sessions that are replaced by the next ones:
//
//  unproven   the client has not shown that it receives what is sent to it: a full router drops the oldest of them
//  proven     the client has shown it: never dropped

/** A session as it takes room. */
export interface RoomySession {
  readonly isProven: boolean;
  /** Ends it: it is deleted from the room. */
  close(reason: "refused"): void;
}

export class SessionRoom<Session extends RoomySession> {
  /** In the order of their beginning. */
  readonly #unproven = new Set<Session>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Makes room for one more, if there are `max` sessions. Returns false if all of them have to stay. */
  makeRoom(max: number): boolean {
    for (const oldest of this.#unproven) {
      if (this.#size < max) break;
      oldest.close("refused");
    }
    return this.#size < max;
  }

  add(session: Session): void {
    this.#unproven.add(session);
    this.#size++;
  }

  /** The session has become proven. */
  proven(session: Session): void {
    this.#unproven.delete(session);
  }

  /** Call it once. */
  delete(session: Session): void {
    this.#unproven.delete(session);
    this.#size--;
  }
}
