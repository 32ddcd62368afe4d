// The explanation of a connection: the walk from the routers to the dealet that takes it, described but not executed.
// Plain data, the same in memory and as JSON.

import type { ConditionWalk } from "../../component/explain-condition.ts";
import type { ComponentLabel } from "../../component/explain-rows.ts";
import type { Endpoint } from "../../net/peer.ts";

/** What routers listen for. `quic`: connections of QUIC, which come by UDP. */
export type ConnProtocol = "tcp" | "udp" | "quic";

/** A connection, or a session of datagrams, to explain. */
export interface AskedConn {
  /** By what it comes. */
  readonly protocol: ConnProtocol;
  /** The client. Default: 127.0.0.1, port 0. */
  readonly from?: Endpoint;
  /** What it connects to. `address` "": any address of the machine. Default: whatever a router listens on. */
  readonly to?: Endpoint;
  /** The server name that it asks for in TLS, DTLS or QUIC. Default: "", none. */
  readonly serverName?: string;
  /** The first protocol that it offers in TLS, DTLS or QUIC. Default: "", none. */
  readonly nextProto?: string;
  /** What it sends first. Default: nothing, or TLS, if a server name or a protocol is given. */
  readonly bytes?: Uint8Array;
}

/** What a dealet would do with a connection. */
export interface DealetExplanation {
  /** `maybe`: only running it would decide. */
  readonly takes: "yes" | "no" | "maybe";
  /** Its action, or the reason against it, in one line. */
  readonly text: string;
  /** More of it, line by line: what it chose among, and why. */
  readonly details?: readonly string[];
}

/** The way of one connection. */
export interface ConnWalk {
  /** In one line. */
  readonly title: string;
  /** All routers of its protocol, in the order of the text. */
  readonly routers: readonly RouterWalk[];
  /** What cases can know of it; absent if no router receives it. */
  readonly facts?: Readonly<Record<string, string>>;
  /** All cases of the router that receives it, in order. */
  readonly cases?: readonly CaseWalkStep[];
  /** The result. */
  readonly outcome: ConnOutcome;
}

/** Whether a router receives the connection. */
export interface RouterWalk {
  /** The router. */
  readonly router: ComponentLabel;
  /** Where it listens. */
  readonly listens: string;
  /** Whether the connection comes to it. */
  readonly isReached: boolean;
  /** Why. */
  readonly reason: string;
}

/** What a case does with the connection. */
export interface CaseWalkStep {
  /** The case. */
  readonly case: ComponentLabel;
  /** `not reached`: an earlier case takes it. */
  readonly matches: "yes" | "no" | "not reached";
  /** Its condition, evaluated; absent without one, or if it is not reached. */
  readonly condition?: ConditionWalk;
  /** Its dealets, up to the first that certainly takes it. */
  readonly asked?: readonly (DealetExplanation & { readonly component: ComponentLabel })[];
}

/** The result of a walk. `closed`: nothing takes it. */
export type ConnOutcome =
  | { readonly type: "taken"; readonly by: ComponentLabel; readonly text: string }
  | { readonly type: "open"; readonly mayBeBy: readonly ComponentLabel[]; readonly otherwise: ConnOutcome }
  | { readonly type: "closed"; readonly text: string };
