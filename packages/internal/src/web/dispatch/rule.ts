// rule: a condition on requests, with the revisers and handlets for matching requests.

import { compileCondition, type Condition } from "../../component/condition.ts";
import type { Child } from "../../component/context.ts";
import type { Context } from "../../stage/context.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { ContentTerms } from "../content/content.ts";
import { answerersOf, asChild, checkReachable, type Answerer } from "./answerers.ts";
import { contentLimitProps } from "../content/content-limits.ts";
import { faultAt } from "./fault.ts";
import { tryHandlets, type HandletChain } from "./handlet-chain.ts";
import type { Trace } from "../../operator/trace.ts";
import { explainRule } from "../explain/explain-rule.ts";
import { fileTestsIn } from "../conditions/file-test.ts";
import { ErrorPages } from "../response/error-pages.ts";
import { checkErrorPages, errorPageProps, examineErrorPages } from "./error-page-props.ts";
import { handleTimeoutProps } from "./handle-timeout.ts";
import type { RequestCounts } from "./request-counts.ts";
import { fixedResponse, redirects, type FixedResponse } from "../response/fixed-response.ts";
import { Uploads } from "../content/form/uploads.ts";
import {
  defineRule,
  handletKind,
  reviserKind,
  sockletKind,
  type ExplainScope,
  type HandletPart,
  type ReviserPart,
  type RuleExplanation,
  type RulePart,
  type WebappPart,
} from "../kinds.ts";
import { Upgrader } from "./upgrader.ts";
import { isLocation } from "../response/location.ts";
import type { Request } from "../request/request.ts";
import { replaceWithPage } from "../response/page-filter.ts";
import type { Response } from "../response/response.ts";
import { faultOfUri, uriPieces } from "../conditions/uri-template.ts";
import { webVariables } from "../conditions/variables.ts";

const props = {
  /**
   * Answers with this status. With `returnText` alone: 200. One from 400 on without `returnText` comes with its page:
   * see `errorPages`.
   */
  returnCode: prop.integer({ min: 200, max: 599 }),
  /**
   * Responds with this text. For 301, 302, 303, 307 and 308, which require it, it is the redirect location; characters
   * that a URL may not contain are percent-encoded. In a location, a variable such as `$query_x` becomes one path
   * segment or one query value; `$path`, `$encodedPath`, `$uri` and `$originalURI` keep the slashes of the path, and
   * `$queryString` is a query. No variable can change the host. If a value makes a dot segment, such as `..`, the
   * response is 400.
   */
  returnText: prop.template(),
  /** Names of handlets in the webapp, instead of handlets inside the rule. */
  handlets: prop.list(prop.reference(handletKind)),
  /**
   * Names of socklets in the webapp, instead of socklets inside the rule. Upgrade requests go to the components inside
   * the rule in the order of the text, then to these, then to the named handlets. A checker inside the rule therefore
   * protects the socklets behind it.
   */
  socklets: prop.list(prop.reference(sockletKind)),
  /** Names of revisers in the webapp, in addition to revisers inside the rule. */
  revisers: prop.list(prop.reference(reviserKind)),
  ...errorPageProps,
  /**
   * Do `errorPages` and `errorPaths` stand for errors, too, that handlets, apps and backends answer by themselves?
   * Their status and other fields stay. The head is sent before a path is asked, so that its page is HTML, unless the
   * path ends in `.json`, say.
   */
  interceptErrors: prop.bool({ default: false, inherited: true, reload: "live" }),
  /** The folder for file tests. */
  webRoot: prop.path({ inherited: true, reload: "live" }),
  /** Whether the webapp's access log contains the requests that this rule takes, and those that fail in it. */
  logAccess: prop.bool({ default: true, inherited: true, reload: "live" }),
  /**
   * The folder for uploaded files until their exchans end, under unpredictable names. It is created at the first
   * upload, accessible only to the user of the process. Files that a killed process has left there are removed at the
   * next start. Default: `uploads` in %tmpsDir.
   */
  uploadsDir: prop.path({ default: "uploads", defaultIn: "tmpsDir", inherited: true }),
  ...handleTimeoutProps,
  ...contentLimitProps,
};

/**
 * A condition on requests, and the components that handle matching requests. Without a condition, it matches all
 * requests.
 */
export const rule = defineRule({
  sign: "rule",
  props,
  check(context) {
    const { props } = context;
    const hasInline = context.hasChild(handletKind);
    if (props.handlets !== undefined && hasInline) {
      context.report({ prop: "handlets", message: "its handlets are named or stand inside it, not both" });
    }
    if (props.socklets !== undefined && context.hasChild(sockletKind)) {
      context.report({ prop: "socklets", message: "its socklets are named or stand inside it, not both" });
    }
    checkReachable(context);
    checkErrorPages(context);
    if (props.returnCode !== undefined && redirects.has(props.returnCode)) {
      const { returnText } = props;
      if (returnText === undefined) {
        context.report({ prop: "returnCode", message: `a ${props.returnCode} needs returnText, which is where to go` });
      } else if (returnText.constant === undefined) {
        const message = faultOfUri(uriPieces(returnText), "location");
        if (message !== undefined) context.report({ prop: "returnText", message });
      } else if (!isLocation(returnText.constant)) {
        const text = JSON.stringify(returnText.constant);
        const message = `${text} cannot be where to go: it is no URL, nor the path of one`;
        context.report({ prop: "returnText", message });
      }
    }
    if (!hasInline && props.handlets === undefined) return;
    for (const prop of ["returnCode", "returnText"] as const) {
      if (props[prop] === undefined) continue;
      context.report({ prop, message: "the rule has a fixed response, so its handlets would never run" });
    }
  },
  create: (context): RulePart => new Rule(context),
});

class Rule implements RulePart {
  readonly #context: Context<PropsOf<typeof props>, WebappPart>;
  matches: (req: Request) => boolean | Promise<boolean>;
  readonly #answer: FixedResponse | undefined;
  #chain: HandletChain = { handlets: [], counts: [] };
  /** For upgrade requests, if there are socklets: these together with the handlets, in order. */
  #upgradeChain: HandletChain | undefined;
  /** Of its fixed response. */
  #counts: RequestCounts | undefined;
  #revisers: readonly Child<ReviserPart>[] = [];
  readonly #uploads: Uploads;
  readonly #contentTerms: ContentTerms;
  #errorPages: ErrorPages;

  constructor(context: Context<PropsOf<typeof props>, WebappPart>) {
    this.#context = context;
    const { props } = context;
    this.matches = this.#compile();
    this.#answer = fixedResponse(props.returnCode, props.returnText);
    this.#uploads = new Uploads(props.uploadsDir, context.log);
    this.#contentTerms = { limits: props, uploads: this.#uploads };
    this.#errorPages = ErrorPages.of(props);
  }

  update(changed: ReadonlySet<string>): void {
    this.#errorPages = ErrorPages.of(this.#context.props);
    if (changed.has("webRoot")) this.matches = this.#compile();
  }

  #compile(): RulePart["matches"] {
    const { condition, props, stage } = this.#context;
    if (condition === undefined) return always;
    return compileCondition(
      condition,
      webVariables,
      fileTestsIn(props.webRoot, () => stage.fcache),
    );
  }

  get path(): string {
    return this.#context.path;
  }

  get logAccess(): boolean {
    return this.#context.props.logAccess;
  }

  get webapp(): WebappPart {
    return this.#context.owner;
  }

  get condition(): Condition | undefined {
    return this.#context.condition;
  }

  get opensTunnels(): boolean {
    return this.#findAnswerers().some(({ kind, child }) => kind === "handlet" && child.part.opensTunnels === true);
  }

  async prepare(): Promise<void> {
    await this.#uploads.sweep();
    await this.#lookAtErrorPages();
  }

  compose(): void {
    const answerers = this.#findAnswerers();
    this.#counts = this.#countsOf("");
    this.#chain = this.#chainOf(answerers.flatMap((answerer) => (answerer.kind === "handlet" ? answerer.child : [])));
    this.#revisers = this.#findRevisers();
    const hasSocklets = answerers.some(({ kind }) => kind === "socklet");
    this.#upgradeChain = hasSocklets ? this.#chainOf(this.#makeUpgraders(answerers)) : undefined;
  }

  examine(): void | Promise<void> {
    return examineErrorPages(this.#context.props);
  }

  shutdown(): Promise<void> {
    return this.#uploads.close();
  }

  explain(req: Request, scope: ExplainScope): Promise<RuleExplanation> {
    const { condition, props } = this.#context;
    const answer = this.#answer?.explain;
    const [answerers, revisers] = [this.#findAnswerers(), this.#findRevisers()];
    return explainRule({ condition, webRoot: props.webRoot, answer, answerers, revisers }, req, scope);
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const trace = req.sampledTrace;
    return trace === undefined ? this.#handle(req, resp) : this.#handleTraced(trace, req, resp);
  }

  #handleTraced(trace: Trace, req: Request, resp: Response): boolean | Promise<boolean> {
    return trace.run(this.#context.path, () => this.#handle(req, resp));
  }

  #handle(req: Request, resp: Response): boolean | Promise<boolean> {
    req.contentTerms = this.#contentTerms;
    resp.enterRule(this, this.#errorPages, this.#context.props.handleTimeout);
    if (this.#context.props.interceptErrors) this.#interceptErrors(req, resp);
    for (const reviser of this.#revisers) hook(reviser, req, resp);
    if (this.#upgradeChain !== undefined && req.upgrades.length > 0) return tryHandlets(this.#upgradeChain, req, resp);
    if (this.#answer === undefined) return tryHandlets(this.#chain, req, resp);
    resp.isOf(this.#counts);
    req.handlet = undefined;
    try {
      return this.#answer.send(req, resp);
    } catch (error) {
      throw faultAt(this.#context.path, error);
    }
  }

  handleBehind({ handlet, handlets = [] }: Request, req: Request, resp: Response): boolean | Promise<boolean> {
    req.contentTerms = this.#contentTerms;
    resp.enterRule(this, this.#errorPages, this.#context.props.handleTimeout);
    const at = handlets.findIndex((one) => one === handlet);
    return tryHandlets({ handlets: handlets.slice(at + 1).filter(isHandlet), counts: [] }, req, resp);
  }

  /** Only as long as the rule has the request. Before all revisers: they see the page, as they see any content. */
  #interceptErrors(req: Request, resp: Response): void {
    if (resp.isHookedBy(this)) return;
    const { stage, path } = this.#context;
    resp.addHook({
      rank: furthestRank,
      by: this,
      path,
      hook: () => {
        if (resp.status < 400 || resp.isStatusPage || resp.rule !== this) return undefined;
        const page = this.#errorPages.pageFor(resp.status);
        return page === undefined ? undefined : replaceWithPage(req, resp, page, stage.fcache);
      },
    });
  }

  async #lookAtErrorPages(): Promise<void> {
    const { props, stage, log } = this.#context;
    for (const [status, file] of props.errorPages) {
      const { kind } = await stage.fcache.open(file);
      if (kind !== "file") log.warn(`the page for ${status}, ${file}, is no file that can be read, as yet: ${kind}`);
    }
  }

  #chainOf(handlets: readonly Child<HandletPart>[]): HandletChain {
    return { handlets, counts: handlets.map(({ sign }) => this.#countsOf(sign)) };
  }

  #countsOf(handlet: string): RequestCounts | undefined {
    const { owner, name } = this.#context;
    return owner.counts?.of(name, handlet);
  }

  #findAnswerers(): readonly Answerer[] {
    return answerersOf(this.#context, this.#context.props);
  }

  #findRevisers(): readonly Child<ReviserPart>[] {
    return [...this.#context.children(reviserKind), ...(this.#context.props.revisers ?? []).map(asChild)];
  }

  /** All components of the rule, with socklets in the form of handlets. */
  #makeUpgraders(answerers: readonly Answerer[]): readonly Child<HandletPart>[] {
    const upgraders: Child<HandletPart>[] = [];
    for (const answerer of answerers) {
      if (answerer.kind === "handlet") {
        upgraders.push(answerer.child);
        continue;
      }
      const { child: socklet } = answerer;
      const { sign, name, path, origin } = socklet;
      const log = this.#context.log.withPath(() => socklet.path);
      const part = new Upgrader(socklet.part, log);
      upgraders.push({ part, sign, name, path, origin });
    }
    const { path } = this.#context;
    const answer: Child<HandletPart>[] =
      this.#answer === undefined
        ? []
        : [{ part: { handle: this.#answer.send }, sign: "rule", name: "", path, origin: undefined }];
    return [...upgraders, ...answer];
  }
}

/** Requests carry the handlets of their rule without their type. */
function isHandlet(child: Child): child is Child<HandletPart> {
  return "handle" in child.part;
}

/** Of revisers, the one furthest from the wire. */
const furthestRank = 31;

function hook({ part, path }: Child<ReviserPart>, req: Request, resp: Response): void {
  // Two rules may name the same reviser, and a rewrite may enter a rule twice.
  if (resp.isHookedBy(part)) return;
  const { rank } = part;
  try {
    const filter = part.reviseRequest?.(req);
    if (filter !== undefined) req.content.addFilter({ rank, path, filter });
  } catch (error) {
    throw faultAt(path, error);
  }
  resp.addHook({ rank, by: part, path, hook: () => part.reviseResponse?.(req, resp) });
}

function always(): boolean {
  return true;
}
