// What dealets of tcpsRouter implement, and what they know of a connection.

import type { Socket } from "node:net";
import { capability } from "../../component/capability.ts";
import type { Link, LinkUser } from "../../net/link.ts";
import type { Endpoint, Peer } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import type { Trace } from "../../operator/trace.ts";
import type { ConnNotes } from "../conn-log/conn-entry.ts";
import type { ConnFacts } from "../facts.ts";
import type { ConnEndReason } from "../end-reason.ts";

/** A client's connection, as dealets see it. It is held: nothing is read until a dealet begins. */
export interface TcpsConn extends ConnFacts {
  /**
   * The other end of the connection, and the client that a PROXY header has named. The socket is asked at the first
   * use: ask while the connection is open. If the client has reset it by then, the connection is closed.
   */
  readonly peer: Peer;
  /** The client: ask as of `peer`. */
  readonly source: Endpoint;
  /** The address that the client connected to. */
  readonly destination: Endpoint;
  /** `undefined` if the router did not terminate TLS. */
  readonly tls: TlsFacts | undefined;
  /** `undefined`: the connection is not traced. For spans of attempts, say. */
  readonly trace: Trace | undefined;
  /** Writes to the client. Reading begins with `begin`. */
  readonly link: Link;
  /**
   * Gives everything that was received so far to the user, at once, and the rest as it comes. To be called once, by the
   * dealet that takes the connection.
   */
  begin(user: LinkUser): void;
  /**
   * Leaves the connection to someone else, who has all of its bytes still to read: the socket is paused. It is over
   * for the router. `undefined`: the client has shut its side already, and the connection was closed.
   */
  release(): Socket | undefined;
  /** Calls the listener when the connection is closed; at once if it is. */
  onClose(listener: () => void): void;
  /** Forgets a listener. */
  offClose(listener: () => void): void;
  /** Closes the connection at once. Of several reasons, the first counts. */
  close(reason: ConnEndReason): void;
  /** Tells the log which node serves the connection, from now on. */
  servedBy(node: string): void;
  /** Adds to what the log tells of the connection: counts and names, never a secret. Before it is over. */
  note(notes: ConnNotes): void;
  /** Says why the connection will have ended. Of several reasons, the first counts. */
  endsBecauseOf(reason: ConnEndReason): void;
}

/** Handles connections of tcpsRouter. */
export interface TcpsDealet {
  /**
   * Returns `true` if it takes the connection: it has begun, or will. Returns `false` to leave it to the next dealet,
   * or to the next case behind the last one. If it throws, the connection is closed, and the error is logged.
   */
  takeConn(conn: TcpsConn): boolean | Promise<boolean>;
}

/** Handles connections of tcpsRouter. */
export const tcpsDealet = capability<TcpsDealet>("tcps-dealet");
