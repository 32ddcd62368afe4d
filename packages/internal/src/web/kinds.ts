// The kinds of the web: the interfaces of webapps, rules, handlets, revisers and socklets.

import type { Condition } from "../component/condition.ts";
import { kind, shape } from "../component/kind.ts";
import type { Part } from "../component/part.ts";
import { definer } from "../stage/definer.ts";
import type { Explanation, WalkOutcome, RuleWalk } from "./explain/explanation.ts";
import type { Fcache } from "../fixtures/fcache.ts";
import type { Certificate } from "../front/tls/certificate.ts";
import type { ClientTerms } from "../front/tls/client-terms.ts";
import type { ContentFilter } from "./content/filter.ts";
import type { WebappCounts } from "./dispatch/request-counts.ts";
import type { Request } from "./request/request.ts";
import type { Response } from "./response/response.ts";
import { loadFrames } from "./websocket/frames.ts";
import type { Upgrade } from "./websocket/upgrade.ts";
import { webVariables } from "./conditions/variables.ts";

/** The services for explaining a request. */
export interface ExplainScope {
  /** Inspects files without the stage's cache, and leaves none open. */
  readonly fcache: Fcache;
}

/** The result of a rule for a request. */
export type RuleExplanation = Omit<RuleWalk, "rule">;

/** The result of a webapp for a request. */
export interface WebappWalk {
  readonly rules: readonly RuleWalk[];
  readonly outcome: WalkOutcome;
}

/** Handles requests. */
export interface HandletPart extends Part {
  /**
   * Returns `true` if it takes the request: the response is sent, or will be within the handle timeout. Returns `false`
   * to leave it to the next handlet; allowed only if nothing was sent and no content was read. A thrown HTTPError gives
   * its status, any other error gives 500.
   */
  handle(req: Request, resp: Response): boolean | Promise<boolean>;
  /**
   * Describes what `handle` would do with this request, for `hemi explain`: without side effects, without reading
   * content, and possibly in a stage that is not prepared. Without this method, the result is only that the handlet
   * would be called.
   */
  explain?(req: Request, scope: ExplainScope): Explanation | Promise<Explanation>;
  /**
   * Of a request's content, in bytes, where `maxContentSize` is not set: Infinity for those who hand it on piece by
   * piece, to what has limits of its own. Default: 1 MiB.
   */
  readonly defaultMaxContentSize?: number;
  /** Whether it opens CONNECT tunnels: the rules of its webapp then receive such requests. Default: false. */
  readonly opensTunnels?: boolean;
}

/** Serves WebSockets, and other protocols that a client upgrades to. */
export interface SockletPart extends Part {
  /**
   * Returns `true` if it takes the upgrade: it is accepted, or will be within the handle timeout. Returns `false` to
   * leave it; allowed only if it was not accepted. A thrown HTTPError gives its status, any other error gives 500.
   */
  handle(upgrade: Upgrade): boolean | Promise<boolean>;
  /** Describes what `handle` would do with an upgrade request, for `hemi explain`: see `explain` of handlets. */
  explain?(req: Request, scope: ExplainScope): Explanation | Promise<Explanation>;
}

/** Transforms content on its way in or out. Each method is called once per exchan, when the head is final. */
export interface ReviserPart extends Part {
  /** 0 to 31: 0 is nearest to the wire. Of equal ranks, the first in the configuration is nearer. */
  readonly rank: number;
  /** Returns a filter for the request content, or nothing. */
  reviseRequest?(req: Request): ContentFilter | undefined;
  /**
   * May change status and fields of the response. Returns a filter for the content, or nothing. Also called for HEAD,
   * 204, 205 and 304, for their heads. A 206 is part of previously encoded content: revisers that would encode it anew
   * must leave it unchanged, including its head.
   */
  reviseResponse?(req: Request, resp: Response): ContentFilter | undefined;
}

/** A condition on requests, and the components that handle matching requests. */
export interface RulePart extends Part {
  /** Of the component; a reload may change it. */
  readonly path: string;
  /** The enclosing webapp. */
  readonly webapp: WebappPart;
  /** Without it, the rule matches all requests. */
  readonly condition: Condition | undefined;
  /** Whether its condition is true for a request. */
  matches(req: Request): boolean | Promise<boolean>;
  /** Whether the webapp's access log contains the requests that it takes. */
  readonly logAccess: boolean;
  /** Whether one of its handlets opens CONNECT tunnels. */
  readonly opensTunnels: boolean;
  /** Hooks its revisers, which stay hooked in any case, and tries its handlets. `false`: none took the request. */
  handle(req: Request, resp: Response): boolean | Promise<boolean>;
  /**
   * For a handlet that answers with what those behind it would: tries the handlets behind the current one of `front` on
   * another exchan, without revisers.
   */
  handleBehind(front: Request, req: Request, resp: Response): boolean | Promise<boolean>;
  /** Describes what both would do, without side effects. The stage need not be prepared. */
  explain?(req: Request, scope: ExplainScope): Promise<RuleExplanation>;
}

/** A webapp's certificates and requirements for TLS. Changed values are new objects. */
export interface WebappTls {
  /** Its certificates; `undefined`: those of the server are used. */
  readonly certificates: readonly Certificate[] | undefined;
  readonly terms: ClientTerms;
  /**
   * Checks whether files have changed, and returns whether they had. Throws HEMI_FILE or HEMI_CERTIFICATE; the previous
   * values stay in use then.
   */
  refresh(): Promise<boolean>;
  /** Reads the same files for a check, whatever is in use. Throws as `refresh` does. */
  readApart(): Promise<Pick<WebappTls, "certificates" | "terms">>;
}

/** One web application. */
export interface WebappPart extends Part {
  /** The hostname patterns. */
  readonly hostnames: readonly string[];
  /** The webapp itself, so that components in a webapp or in a rule find it as `context.owner.webapp`. */
  readonly webapp: WebappPart;
  /** Without it: the certificates of the server, and no requirements on clients. */
  readonly tls?: WebappTls | undefined;
  /** Settings of the configuration for user code. */
  readonly settings: ReadonlyMap<string, string>;
  /** Whether its rules receive CONNECT requests; otherwise the response is 501. */
  readonly letsTunnelsIn?: boolean;
  /** What it counts. Without it: nothing. */
  readonly counts?: WebappCounts;
  /** Tries the rules. `false`: none took the request. */
  handle(req: Request, resp: Response): boolean | Promise<boolean>;
  /** Describes what `handle` would do, without side effects. The stage need not be prepared. */
  explain?(req: Request, scope: ExplainScope): Promise<WebappWalk>;
  /** Responds to a request that no rule took; with `sendPage` if it has no page of its own. */
  notFound(req: Request, resp: Response, sendPage: (resp: Response) => void | Promise<void>): void | Promise<void>;
}

/** A web application, selected by hostnames. */
export const webappKind = kind({
  name: "webapp",
  rank: 5,
  standsIn: [{ owner: "stage", naming: "required" }],
  variables: webVariables,
  part: shape<WebappPart>(),
  owner: shape<undefined>(),
});

/** A condition on requests, and the components that handle matching requests. */
export const ruleKind = kind({
  name: "rule",
  rank: 5,
  standsIn: [{ owner: "webapp", naming: "optional" }],
  takesCondition: true,
  fileTestsIn: "webRoot",
  variables: webVariables,
  part: shape<RulePart>(),
  owner: shape<WebappPart>(),
});

/** Handles requests, or leaves them to the next handlet. */
export const handletKind = kind({
  name: "handlet",
  rank: 5,
  standsIn: [
    { owner: "webapp", naming: "required" },
    { owner: "rule", naming: "optional" },
  ],
  variables: webVariables,
  part: shape<HandletPart>(),
  owner: shape<WebappPart | RulePart>(),
});

/** Transforms content on its way in or out. */
export const reviserKind = kind({
  name: "reviser",
  rank: 5,
  standsIn: [
    { owner: "webapp", naming: "required" },
    { owner: "rule", naming: "optional" },
  ],
  variables: webVariables,
  part: shape<ReviserPart>(),
  owner: shape<WebappPart | RulePart>(),
});

/** Serves WebSockets, and other protocols that a client upgrades to. */
export const sockletKind = kind({
  name: "socklet",
  rank: 5,
  standsIn: [
    { owner: "webapp", naming: "required" },
    { owner: "rule", naming: "optional" },
  ],
  load: loadFrames,
  variables: webVariables,
  part: shape<SockletPart>(),
  owner: shape<WebappPart | RulePart>(),
});

/**
 * Declares a handlet: it handles requests, or leaves them to the next handlet. `create` returns an object with
 * `handle(req, resp)`, such as a Mapper.
 */
export const defineHandlet = definer(handletKind);
/** Declares a reviser: it transforms heads and content on their way in or out. */
export const defineReviser = definer(reviserKind);
/** Declares a socklet: it serves WebSockets and other protocols that clients upgrade to. */
export const defineSocklet = definer(sockletKind);
/** For the engine itself: there is only one definition of a webapp and one of a rule. */
export const defineWebapp = definer(webappKind);
export const defineRule = definer(ruleKind);
