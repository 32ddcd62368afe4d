// The sessions of a router, by the client's and our address. A flood of datagrams from many, perhaps forged, addresses
// fills it at most with sessions that are replaced by the next ones:
//
//  unproven   the client has not shown that it receives what is sent to it: a full table drops the oldest of them
//  proven     the client has sent again after it was sent something: never dropped

import type { Endpoint } from "../../net/peer.ts";

/** A session as its table sees it. */
export interface TabledSession {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly isProven: boolean;
  /** Ends it: it is deleted from the table. */
  close(reason: "refused"): void;
}

export class SessionTable<Session extends TabledSession> {
  /** By our own address and port, then by the client's address and port. */
  readonly #byDestination = new Map<Endpoint, Map<string, Session>>();
  /** In the order of their beginning. */
  readonly #unproven = new Set<Session>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `destination`: one object for each of our addresses. */
  find(source: Endpoint, destination: Endpoint): Session | undefined {
    return this.#byDestination.get(destination)?.get(keyOf(source));
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
    let sessions = this.#byDestination.get(session.destination);
    if (sessions === undefined) this.#byDestination.set(session.destination, (sessions = new Map<string, Session>()));
    sessions.set(keyOf(session.source), session);
    this.#unproven.add(session);
    this.#size++;
  }

  /** The session has become proven. */
  proven(session: Session): void {
    this.#unproven.delete(session);
  }

  /** Call it once. */
  delete(session: Session): void {
    this.#byDestination.get(session.destination)?.delete(keyOf(session.source));
    this.#unproven.delete(session);
    this.#size--;
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
