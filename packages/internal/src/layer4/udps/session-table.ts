// The sessions of a udpsRouter, by the client's and our address.

import type { Endpoint } from "../../net/peer.ts";

/** A session as its table sees it. */
export interface TabledSession {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

export class SessionTable<Session extends TabledSession> {
  /** By our own address and port, then by the client's address and port. */
  readonly #byDestination = new Map<Endpoint, Map<string, Session>>();

  /** `destination`: one object for each of our addresses. */
  find(source: Endpoint, destination: Endpoint): Session | undefined {
    return this.#byDestination.get(destination)?.get(keyOf(source));
  }

  add(session: Session): void {
    let sessions = this.#byDestination.get(session.destination);
    if (sessions === undefined) this.#byDestination.set(session.destination, (sessions = new Map<string, Session>()));
    sessions.set(keyOf(session.source), session);
  }

  delete(session: Session): void {
    this.#byDestination.get(session.destination)?.delete(keyOf(session.source));
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
