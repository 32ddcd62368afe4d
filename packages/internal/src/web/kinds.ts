// The kinds of the web: what webapps, rules, handlets, revisers, socklets and servers are to the engine.

import type { Condition } from "../component/condition.ts";
import { kind, shape } from "../component/kind.ts";
import type { Part } from "../component/part.ts";
import { definer } from "../stage/definer.ts";
import type { Explanation, WalkOutcome, RuleWalk } from "./explain/explanation.ts";
import type { Fcache } from "../fixtures/fcache.ts";
import type { Certificate } from "../front/tls/certificate.ts";
import type { ClientTerms } from "../front/tls/client-terms.ts";
import type { ContentFilter } from "./content/filter.ts";
import type { Request } from "./request/request.ts";
import type { Response } from "./response/response.ts";
import { loadFrames } from "./websocket/frames.ts";
import type { Upgrade } from "./websocket/upgrade.ts";
import { webVariables } from "./conditions/variables.ts";

/** What there is to explain a request with. */
export interface ExplainScope {
  /** Looks at files anew, apart from what the stage holds: nothing is left open. */
  readonly fcache: Fcache;
}

/** What a rule makes of a request. */
export type RuleExplanation = Omit<RuleWalk, "rule">;

/** What a webapp makes of a request. */
export interface WebappWalk {
  readonly rules: readonly RuleWalk[];
  readonly outcome: WalkOutcome;
}

/** Answers requests. */
export interface HandletPart extends Part {
  /**
   * `true`: taken; the answer is sent, or will be, within the handle timeout. `false`: not mine; only if nothing was sent and
   * no content was read. What is thrown gives a 500, an HTTPError its status.
   */
  handle(req: Request, resp: Response): boolean | Promise<boolean>;
  /**
   * What `handle` would do with this request, for `hemi explain`: in a stage that need not be prepared, without any effect, and without
   * reading content. Without it: only that the handlet would be asked.
   */
  explain?(req: Request, scope: ExplainScope): Explanation | Promise<Explanation>;
  /**
   * Of a request's content, in bytes, where `maxContentSize` is not set: Infinity for those who hand it on piece by piece, to what has limits of its own. Default: 1 MiB.
   */
  readonly defaultMaxContentSize?: number;
  /** Whether it opens tunnels by CONNECT: the rules of its webapp then see such requests. Default: false. */
  readonly opensTunnels?: boolean;
}

/** Serves WebSockets, and whatever else a client may want to speak instead of HTTP. */
export interface SockletPart extends Part {
  /**
   * `true`: taken; it was accepted, or will be within the handle timeout. `false`: not mine; only if it was not accepted. What is thrown gives a 500, an HTTPError
   * its status.
   */
  handle(upgrade: Upgrade): boolean | Promise<boolean>;
  /** What `handle` would do with a request that wants to leave HTTP, for `hemi explain`: see `explain` of handlets. */
  explain?(req: Request, scope: ExplainScope): Explanation | Promise<Explanation>;
}

/** Changes content on its way in or out. Each method is called once an exchan, when the head is final. */
export interface ReviserPart extends Part {
  /** 0 to 31: 0 is nearest to the wire. Of equal ones, the one that stands first is nearer. */
  readonly rank: number;
  /** Returns what the request's content goes through, or nothing. */
  reviseRequest?(req: Request): ContentFilter | undefined;
  /**
   * May change status and fields of the response; returns what its content goes through, or nothing. Called for HEAD, 204, 205 and 304 too: for
   * its head. A 206 is part of a content that was coded before: whoever would code it anew leaves it alone, head and all.
   */
  reviseResponse?(req: Request, resp: Response): ContentFilter | undefined;
}

/** A condition on requests with what is done to them. */
export interface RulePart extends Part {
  /** The webapp that it stands in. */
  readonly webapp: WebappPart;
  /** Without it, the rule matches all requests. */
  readonly condition: Condition | undefined;
  /** Whether its condition holds for a request. */
  matches(req: Request): boolean | Promise<boolean>;
  /** Whether the access log of the webapp gets a line for what it takes. */
  readonly logAccess: boolean;
  /** Whether one of its handlets opens tunnels by CONNECT. */
  readonly opensTunnels: boolean;
  /** Hooks its revisers, which stay hooked in any case, and tries its handlets. `false`: none took the request. */
  handle(req: Request, resp: Response): boolean | Promise<boolean>;
  /** Tells what both of them would do, and does nothing. The stage need not be prepared. */
  explain?(req: Request, scope: ExplainScope): Promise<RuleExplanation>;
}

/** What a webapp shows to those who come by TLS, and what it asks of them. Both are other objects once they have changed. */
export interface WebappTls {
  /** Its certificates; `undefined`: those of the server. */
  readonly certificates: readonly Certificate[] | undefined;
  readonly terms: ClientTerms;
  /** Looks whether files have changed, and says whether they had. Throws HEMI_FILE or HEMI_CERTIFICATE; what was before stays in use then. */
  refresh(): Promise<boolean>;
}

/** One web application. */
export interface WebappPart extends Part {
  /** The names that it is reached by. */
  readonly hostnames: readonly string[];
  /** Itself: so that what stands in a webapp or in one of its rules finds it by `context.owner.webapp`. */
  readonly webapp: WebappPart;
  /** Without it: the certificates of the server, and nothing is asked of clients. */
  readonly tls?: WebappTls;
  /** Tells user code what it was told in the configuration. */
  readonly settings: ReadonlyMap<string, string>;
  /** Whether its rules see requests by CONNECT; else they are answered with 501. */
  readonly letsTunnelsIn?: boolean;
  /** Walks the rules. `false`: none took the request. */
  handle(req: Request, resp: Response): boolean | Promise<boolean>;
  /** Tells what `handle` would do, and does nothing. The stage need not be prepared. */
  explain?(req: Request, scope: ExplainScope): Promise<WebappWalk>;
  /** Answers what no rule took; by `sendPage`, if it has nothing of its own to say. */
  notFound(req: Request, resp: Response, sendPage: (resp: Response) => void | Promise<void>): void | Promise<void>;
}

/** A listener for a protocol, web or other. */
export interface ServerPart extends Part {
  /** Where it listens, once it has started; the real port for port 0. */
  readonly listensOn?: readonly string[];
}

/** A listener for a protocol. */
export const serverKind = kind({
  name: "server",
  rank: 5,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<ServerPart>(),
  owner: shape<undefined>(),
});

/** A web application, by hostnames. */
export const webappKind = kind({
  name: "webapp",
  rank: 4,
  standsIn: [{ owner: "stage", naming: "required" }],
  variables: webVariables,
  part: shape<WebappPart>(),
  owner: shape<undefined>(),
});

/** A condition on requests with what is done to them. */
export const ruleKind = kind({
  name: "rule",
  rank: 4,
  standsIn: [{ owner: "webapp", naming: "optional" }],
  takesCondition: true,
  fileTestsIn: "webRoot",
  variables: webVariables,
  part: shape<RulePart>(),
  owner: shape<WebappPart>(),
});

/** Answers requests, or leaves them to the next one. */
export const handletKind = kind({
  name: "handlet",
  rank: 4,
  standsIn: [
    { owner: "webapp", naming: "required" },
    { owner: "rule", naming: "optional" },
  ],
  variables: webVariables,
  part: shape<HandletPart>(),
  owner: shape<WebappPart | RulePart>(),
});

/** Changes content on its way in or out. */
export const reviserKind = kind({
  name: "reviser",
  rank: 4,
  standsIn: [
    { owner: "webapp", naming: "required" },
    { owner: "rule", naming: "optional" },
  ],
  variables: webVariables,
  part: shape<ReviserPart>(),
  owner: shape<WebappPart | RulePart>(),
});

/** Serves WebSockets, and whatever else a client may upgrade to. */
export const sockletKind = kind({
  name: "socklet",
  rank: 4,
  standsIn: [
    { owner: "webapp", naming: "required" },
    { owner: "rule", naming: "optional" },
  ],
  load: loadFrames,
  variables: webVariables,
  part: shape<SockletPart>(),
  owner: shape<WebappPart | RulePart>(),
});

/** Declares a server of your own: it listens, and serves its connections. */
export const defineServer = definer(serverKind);
/**
 * Declares a handlet: it answers requests, or leaves them to the next one.
 * `create` returns an object with `handle(req, resp)`, such as a Mapper.
 */
export const defineHandlet = definer(handletKind);
/** Declares a reviser: it changes heads and content on their way in or out. */
export const defineReviser = definer(reviserKind);
/** Declares a socklet: it takes WebSockets and other protocols that clients upgrade to. */
export const defineSocklet = definer(sockletKind);
/** For the engine's own two: a configuration has one sort of webapp and one sort of rule. */
export const defineWebapp = definer(webappKind);
export const defineRule = definer(ruleKind);
