// What would become of a request: the walk from the servers to the one who answers, told instead of done. Plain data, the same in
// memory and as JSON.

import type { ConditionWalk } from "../../component/explain-condition.ts";
import type { Origin } from "../../config/origin.ts";

/** A request that nobody sends. */
export interface ExplainRequest {
  /** Default: GET. */
  readonly method?: string;
  /** A whole URL, or a target such as `/a?b=c`. Spaces and letters beyond ASCII are percent-encoded, as clients do. */
  readonly url: string;
  /** A list stands for several fields of one name. A field `host` goes before the host of the URL. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Where it comes from. Default: 127.0.0.1. */
  readonly srcHost?: string;
}

/** A component, and where it stands. */
export interface ComponentLabel {
  /** The word in the configuration that picked it. */
  readonly sign: string;
  /** "" if it has none. */
  readonly name: string;
  /** Like `webapp.shop/rule.3/static`. */
  readonly path: string;
  /** `undefined` for what comes from a TypeScript object. */
  readonly origin: Origin | undefined;
}

/** What a component says of a request that it would be asked to answer. It does nothing, and opens nothing but files to read. */
export interface Explanation {
  /** `maybe`: only running it would tell. */
  readonly takes: "yes" | "no" | "maybe";
  /** What it would do or why not, in a line: `sends /srv/web/a.png`. */
  readonly text: string;
  /** The status of its answer, if that is sure. */
  readonly status?: number;
  /** The protocol that the client leaves HTTP for, if the answer allows it; left out where the request is answered as any other. */
  readonly upgrade?: string;
  /** More of it, line by line: what it chose among, say, and why. */
  readonly details?: readonly string[];
}

/** The way of one request. What it did not come to is left out. */
export interface Walk {
  /** The request that was asked about. */
  readonly request: AskedRequest;
  /** All that could be meant, in the order of the text; none where the request is in one already. */
  readonly servers: readonly ServerWalk[];
  /** The path of the one that gets it; left out where several do that make the same of it. */
  readonly server?: string;
  /** How its TLS connection begins. */
  readonly handshake?: HandshakeWalk;
  /** How its hostname picked a webapp; `undefined` where no server gets it. */
  readonly host?: HostWalk;
  /** What became of its path. */
  readonly path?: PathWalk;
  /** The webapp that its hostname belongs to. */
  readonly webapp?: ComponentLabel;
  /** All rules of the webapp, in order. */
  readonly rules?: readonly RuleWalk[];
  /** Where it ends. */
  readonly outcome: WalkOutcome;
}

/** The request that a walk is about. */
export interface AskedRequest {
  /** Such as `GET`. */
  readonly method: string;
  /** As given. */
  readonly url: string;
  /** Path and query, as a client would send them. */
  readonly target: string;
  /** The value of its field `host`; "" if it has none. */
  readonly authority: string;
  /** Names in lower case, in order; without `host`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The address of the client. */
  readonly srcHost: string;
}

/** A server, and whether it gets the request. */
export interface ServerWalk {
  /** Which one it is. */
  readonly server: ComponentLabel;
  /** What it speaks, and where: `http on :3080`. */
  readonly listens: string;
  /** Would the URL lead here? */
  readonly isReached: boolean;
  /** Why, or why not. */
  readonly reason: string;
}

/** What is assumed of a client that comes by TLS: that it speaks HTTP/1.1 over TLS 1.3, and asks for the host of the URL. */
export interface HandshakeWalk {
  /** What it asks for (SNI); "" for nothing, as clients do that have an address in the URL. */
  readonly serverName: string;
  /** What is spoken: `TLSv1.3`. */
  readonly version: string;
  /** Whether it is asked for a certificate. With `optional`, it is assumed to have none. */
  readonly clientCertificate: "none" | "optional" | "required";
  /** Why there is no connection; else left out. */
  readonly refusedFor?: string;
}

/** How a hostname picked a webapp. */
export interface HostWalk {
  /** As the client sent it. */
  readonly received: string;
  /** In lower case, without port; "" if it has none; `undefined`: it is malformed, which is a 400. */
  readonly hostname: string | undefined;
  /** All webapps with a pattern that matches, the best first. */
  readonly candidates: readonly HostnameCandidate[];
}

/** A pattern in the hostnames of a webapp. */
export interface HostnameCandidate {
  /** Which one it is. */
  readonly webapp: ComponentLabel;
  /** The hostname of it that matches. */
  readonly pattern: string;
  /** Does it match by itself? */
  readonly matches: boolean;
  /** Whether it gets the request. */
  readonly wins: boolean;
  /** Why it won or lost. */
  readonly reason: string;
}

/** What became of a path. */
export interface PathWalk {
  /** Without the query. */
  readonly received: string;
  /** `$encodedPath`; left out where the path is refused. */
  readonly encodedPath?: string;
  /** `$path`; left out where the path is refused. */
  readonly path?: string;
  /** Why it is a 400. */
  readonly refusedFor?: string;
}

/** A rule, and whether its condition holds. */
export interface RuleWalk {
  /** Which one it is. */
  readonly rule: ComponentLabel;
  /** `not reached`: one before it takes the request in any case. */
  readonly matches: "yes" | "no" | "not reached";
  /** The rules start anew with it, because a rewrite before it wants that: with this path and query. */
  readonly anewWith?: string;
  /** Left out where there is none, which matches all, and where it was not reached. */
  readonly condition?: ConditionWalk;
  /** Those that it hooks: they look at the answer, whoever gives it. */
  readonly revisers?: readonly ComponentLabel[];
  /** The client wants to leave HTTP, and the rule has neither a socklet nor a handlet that passes that on: the request is to it as any other. Else left out. */
  readonly ignoresUpgrade?: true;
  /**
   * Handlets, and where the client wants to leave HTTP socklets among them, in the order in which they are asked, up to the first that takes the
   * request in any case.
   */
  readonly asked?: readonly AskedWalk[];
  /** What it answers by itself, by `returnCode` and `returnText`, to what none of them takes. */
  readonly answer?: Explanation;
}

/** A handlet or socklet that was asked, and what it would do. */
export interface AskedWalk extends Explanation {
  /** Which one it is. */
  readonly component: ComponentLabel;
  /** Which of both it is. */
  readonly kind: "handlet" | "socklet";
}

/** What comes of it. `by` are the paths of components. */
export type WalkOutcome =
  /** It is sure who answers. */
  | { readonly type: "answered"; readonly by: string; readonly status?: number; readonly text: string }
  /** One of several, the first that wants it; only running them would tell. If none of `mayBeBy` does: `otherwise`. */
  | { readonly type: "open"; readonly mayBeBy: readonly string[]; readonly otherwise: WalkOutcome }
  /** Nobody takes it: the engine answers with this status. */
  | { readonly type: "refused"; readonly status: number; readonly text: string }
  /** No server listens where the URL leads, or there is no connection with it. */
  | { readonly type: "unreached"; readonly text: string }
  /** Several servers could get it, and make different things of it. */
  | { readonly type: "unclear"; readonly text: string };

/** What a server says of a request that may lead to it. */
export interface ServerExplanation extends Omit<ServerWalk, "server"> {
  /** The request as the server would see it. */
  readonly request: AskedRequest;
  /** The rest of the way, if it comes in here. */
  walk(): Promise<Omit<Walk, "request" | "servers" | "server">>;
}

/** The label of a component, of a child, or of one that is referred to. */
export function labelOf({ sign, name, path, origin }: ComponentLabel): ComponentLabel {
  return { sign, name, path, origin };
}
