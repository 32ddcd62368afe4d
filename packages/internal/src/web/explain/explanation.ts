// The explanation of a request: the walk from the servers to the responding component, described but not executed.
// Plain data, the same in memory and as JSON.

import type { ConditionWalk } from "../../component/explain-condition.ts";
import type { ComponentLabel } from "../../component/explain-rows.ts";

/** A request to explain. It is not sent. */
export interface ExplainRequest {
  /** Default: GET. */
  readonly method?: string;
  /** A whole URL, or a target such as `/a?b=c`. Spaces and non-ASCII letters are percent-encoded, as clients do. */
  readonly url: string;
  /** A list means several fields of one name. A field `host` takes precedence over the host of the URL. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The client's address. Default: 127.0.0.1. */
  readonly srcHost?: string;
}

/** How a component would handle a request. Has no side effects; files are only read. */
export interface Explanation {
  /** `maybe`: only running it would decide. */
  readonly takes: "yes" | "no" | "maybe";
  /** Its action, or the reason against it, in one line: `sends /srv/web/a.png`. */
  readonly text: string;
  /** The status of its response, if certain. */
  readonly status?: number;
  /**
   * The protocol that the client leaves HTTP for, if the answer allows it; left out where the request is answered as
   * any other.
   */
  readonly upgrade?: string;
  /** More of it, line by line: what it chose among, say, and why. */
  readonly details?: readonly string[];
}

/** The way of one request. Steps that it did not reach are absent. */
export interface Walk {
  /** The explained request. */
  readonly request: AskedRequest;
  /** All candidates, in the order of the text; none if the request is given to a specific one. */
  readonly servers: readonly ServerWalk[];
  /** The path of the server that receives it; absent if several servers do, with the same result. */
  readonly server?: string;
  /** The start of its TLS connection. */
  readonly handshake?: HandshakeWalk;
  /** How its hostname selected a webapp; `undefined` if no server receives it. */
  readonly host?: HostWalk;
  /** The two forms of its path. */
  readonly path?: PathWalk;
  /** The webapp of its hostname. */
  readonly webapp?: ComponentLabel;
  /** All rules of the webapp, in order. */
  readonly rules?: readonly RuleWalk[];
  /** The result. */
  readonly outcome: WalkOutcome;
}

/** The request of a walk. */
export interface AskedRequest {
  /** Such as `GET`. */
  readonly method: string;
  /** As given. */
  readonly url: string;
  /** Path and query, as a client would send them. */
  readonly target: string;
  /** The value of its field `host`; "" if it has none. */
  readonly authority: string;
  /** Lower-case names, in order; without `host`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The address of the client. */
  readonly srcHost: string;
}

/** A server, and whether it receives the request. */
export interface ServerWalk {
  /** The server. */
  readonly server: ComponentLabel;
  /** Protocol and address: `http on :3080`. */
  readonly listens: string;
  /** Whether the URL leads here. */
  readonly isReached: boolean;
  /** Why, or why not. */
  readonly reason: string;
}

/**
 * The assumptions about a TLS client: it speaks HTTP/1.1 over TLS 1.3, and sends the host of the URL as its server
 * name.
 */
export interface HandshakeWalk {
  /** The server name (SNI); "" if the URL has an IP address, as in real clients. */
  readonly serverName: string;
  /** The version: `TLSv1.3`. */
  readonly version: string;
  /** Whether a client certificate is requested. With `optional`, the client is assumed to have none. */
  readonly clientCertificate: "none" | "optional" | "required";
  /** Why there is no connection; otherwise absent. */
  readonly refusedFor?: string;
}

/** How a hostname selected a webapp. */
export interface HostWalk {
  /** As the client sent it. */
  readonly received: string;
  /** In lower case, without port; "" without a hostname; `undefined`: malformed, which gives 400. */
  readonly hostname: string | undefined;
  /** All webapps with a matching pattern, the best first. */
  readonly candidates: readonly HostnameCandidate[];
}

/** A pattern in the hostnames of a webapp. */
export interface HostnameCandidate {
  /** The webapp. */
  readonly webapp: ComponentLabel;
  /** The matching pattern. */
  readonly pattern: string;
  /** Whether it matches the hostname. */
  readonly matches: boolean;
  /** Whether it receives the request. */
  readonly wins: boolean;
  /** Why it won or lost. */
  readonly reason: string;
}

/** The two forms of a path. */
export interface PathWalk {
  /** Without the query. */
  readonly received: string;
  /** `$encodedPath`; absent if the path is refused. */
  readonly encodedPath?: string;
  /** `$path`; absent if the path is refused. */
  readonly path?: string;
  /** Why it gives 400. */
  readonly refusedFor?: string;
}

/** A rule, and whether its condition is true. */
export interface RuleWalk {
  /** The rule. */
  readonly rule: ComponentLabel;
  /** `not reached`: an earlier rule certainly takes the request. */
  readonly matches: "yes" | "no" | "not reached";
  /** The path and query with which the rules start again here, after a rewrite. */
  readonly anewWith?: string;
  /** Absent if there is none (which matches everything), or if it was not reached. */
  readonly condition?: ConditionWalk;
  /** The revisers that it hooks: they inspect the response, whichever component sends it. */
  readonly revisers?: readonly ComponentLabel[];
  /**
   * The client wants to leave HTTP, and the rule has neither a socklet nor a handlet that passes that on: the request
   * is to it as any other. Else left out.
   */
  readonly ignoresUpgrade?: true;
  /**
   * The handlets, and for an upgrade request socklets, in the order in which they are called, up to the first that
   * certainly takes the request.
   */
  readonly asked?: readonly AskedWalk[];
  /** Its fixed response by `returnCode` and `returnText`, if no handlet takes the request. */
  readonly answer?: Explanation;
}

/** A handlet or socklet that would be called, and its action. */
export interface AskedWalk extends Explanation {
  /** The component. */
  readonly component: ComponentLabel;
  /** Its kind. */
  readonly kind: "handlet" | "socklet";
}

/** The result of the walk. `by` contains paths of components. */
export type WalkOutcome =
  /** The responding component is certain. */
  | { readonly type: "answered"; readonly by: string; readonly status?: number; readonly text: string }
  /**
   * One of several components, the first that takes it; only running them would decide. If none of `mayBeBy` does:
   * `otherwise`.
   */
  | { readonly type: "open"; readonly mayBeBy: readonly string[]; readonly otherwise: WalkOutcome }
  /** No component takes it: the engine responds with this status. */
  | { readonly type: "refused"; readonly status: number; readonly text: string }
  /** No server listens where the URL leads, or the connection fails. */
  | { readonly type: "unreached"; readonly text: string }
  /** Several servers could receive it, with different results. */
  | { readonly type: "unclear"; readonly text: string };

/** The explanation of a server for a request that may lead to it. */
export interface ServerExplanation extends Omit<ServerWalk, "server"> {
  /** The request from the view of the server. */
  readonly request: AskedRequest;
  /** The rest of the walk, if the request enters here. */
  walk(): Promise<Omit<Walk, "request" | "servers" | "server">>;
}
