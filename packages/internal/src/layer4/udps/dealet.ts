// What dealets of routers of datagrams implement, and what they know of a session.

import { capability } from "../../component/capability.ts";
import type { Policer } from "../../net/pacer.ts";
import type { Endpoint } from "../../net/peer.ts";
import type { Trace } from "../../operator/trace.ts";
import type { ConnNotes } from "../conn-log/conn-entry.ts";
import type { ConnFacts } from "../facts.ts";
import type { ConnEndReason } from "../end-reason.ts";

/** Learns what happens in a session. What a method throws, or its promise rejects with, is logged, and ends it. */
export interface UdpsSessionUser {
  /** A datagram of the client. The bytes may be kept. */
  received(datagram: Buffer): void | Promise<void>;
  /** The session is over: nothing is called after this, and what is sent is lost. */
  closed(): void | Promise<void>;
}

/** The datagrams of one client's address and port to one of ours, until none has come for `idleTimeout`. */
export interface UdpsSession extends ConnFacts {
  /** The client. */
  readonly source: Endpoint;
  /** The address that the client has sent to; answers come from it. */
  readonly destination: Endpoint;
  /** `undefined`: the session is not traced. For spans of attempts, say. */
  readonly trace: Trace | undefined;
  /** Whether nobody can take or use it any more. */
  readonly isOver: boolean;
  /** The id of the node that has to get it, because it has what went before; `undefined`: any. */
  readonly onlyNode: string | undefined;
  /**
   * Gives the datagrams that have come so far to the user, at once, and the rest as they come. To be called once, by
   * the dealet that takes the session.
   */
  begin(user: UdpsSessionUser): void;
  /** Drops datagrams of the client that the policer does not admit. Limits that were set before hold, too. */
  policeReceiving(policer: Policer): void;
  /** The same for datagrams that are sent to the client. */
  policeSending(policer: Policer): void;
  /** Sends a datagram to the client. Returns false for one that is dropped, because of a limit. */
  send(datagram: Buffer): boolean;
  /** Calls the listener when the session is over; at once if it is. */
  onClose(listener: () => void): void;
  /** Tells the log which node serves the session, from now on. */
  servedBy(node: string): void;
  /** Adds to what the log tells of the session: counts and names, never a secret. Before it is over. */
  note(notes: ConnNotes): void;
  /** Ends the session. The next datagram of the client begins another one. */
  close(reason: ConnEndReason): void;
}

/** Handles sessions of routers of datagrams. */
export interface UdpsDealet {
  /**
   * Returns `true` if it takes the session: it has begun, or will. Returns `false` to leave it to the next dealet, or
   * to the next case behind the last one. If it throws, the session is ended, and the error is logged.
   */
  takeSession(session: UdpsSession): boolean | Promise<boolean>;
}

/** Handles sessions of routers of datagrams. */
export const udpsDealet = capability<UdpsDealet>("udps-dealet");

/** A router whose dealets get sessions of datagrams. */
export const routesDatagrams = capability<object>("routes-datagrams");
