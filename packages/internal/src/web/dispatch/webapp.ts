// webapp: one web application, selected by hostnames, with its rules in order.

import type { Context } from "../../stage/context.ts";
import { prop } from "../../component/prop.ts";
import type { Revision } from "../../component/part.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { AccessEntry } from "../access-log/access-entry.ts";
import { checkLogFile } from "../../front/traffic-log/file-props.ts";
import { AccessLog } from "../access-log/access-log.ts";
import { LiveLines } from "../access-log/live-lines.ts";
import { accessLogProps } from "../access-log/props.ts";
import { redactQueriesNamed } from "../access-log/redact.ts";
import { explainWebapp } from "../explain/explain-webapp.ts";
import { RuleIndex } from "./rule-index.ts";
import { examineFile } from "../../component/examine-files.ts";
import { SiteFiles } from "../../front/tls/site-files.ts";
import { HTTPError } from "../http-error.ts";
import { serverKind } from "../../stage/kinds/server.ts";
import {
  defineWebapp,
  ruleKind,
  type ExplainScope,
  type RulePart,
  type WebappPart,
  type WebappWalk,
} from "../kinds.ts";
import { Sessions } from "../session/sessions.ts";
import { staterKind } from "../session/stater.ts";
import { checkWebappTls, webappTlsPropNames, webappTlsProps } from "./webapp-tls.ts";
import { WebappCounts } from "./request-counts.ts";
import type { Request } from "../request/request.ts";
import { ErrorPages } from "../response/error-pages.ts";
import type { Response } from "../response/response.ts";
import { checkErrorPages, errorPageProps, examineErrorPages } from "./error-page-props.ts";
import { traceProps, Tracing } from "../trace/tracing.ts";

const props = {
  /** Exact names, `*.suffix`, `prefix.*`, or `*` for the default webapp. The most specific pattern wins. */
  hostnames: prop.hostnames({ required: true, min: 1, reload: "live" }),
  /** The folder for static files and file tests. */
  webRoot: prop.path({ inherited: true, reload: "live" }),
  /** A file that is sent with status 404 if no rule takes the request. */
  file404: prop.path({ reload: "live" }),
  ...errorPageProps,
  /**
   * The access log: a line for each request, written when its response is complete or aborted. Sets the file and the
   * format: `["file": %logsDir + "/access.log", "format": "json"]`. Unset: no access log.
   */
  accessLog: prop.record(accessLogProps, { reload: "live" }),
  /** Whether the access log contains requests that no rule takes. Rules inherit this setting. */
  logAccess: prop.bool({ default: true, inherited: true, reload: "live" }),
  ...traceProps,
  ...webappTlsProps,
  /** The stater that stores the sessions of clients, which handlets have as `req.session`. Default: no sessions. */
  withStater: prop.reference(staterKind, { inherited: true }),
  /** Settings for the webapp's own code. */
  settings: prop.dict(prop.string(), { default: {}, reload: "live" }),
};

/** A web application. */
export const webapp = defineWebapp({
  sign: "webapp",
  props,
  check(context) {
    const { accessLog } = context.props;
    if (accessLog !== undefined) checkLogFile(accessLog, "accessLog", context);
    checkErrorPages(context);
    checkWebappTls(context);
    const servers = context.referrers().filter(({ definition }) => definition.kind.name === serverKind.name);
    const [server] = servers;
    if (server === undefined) {
      return context.warn({ message: "no server serves it", hint: "name it in .webapps of a server" });
    }
    if (context.props.tlsCert !== undefined && servers.every(({ props }) => props["tlsMode"] === false)) {
      const message = ".tlsCert is not used: no server that serves it speaks TLS";
      context.warn({
        prop: "tlsCert",
        message,
        hint: `set .tlsMode = true in ${server.path}, or in a server of its own`,
      });
    }
  },
  create: (context): WebappPart => new Webapp(context),
});

class Webapp implements WebappPart {
  readonly #context: Context<PropsOf<typeof props>, undefined>;
  #tls: SiteFiles;
  #rules: readonly RulePart[] = [];
  /** Present if there are so many rules that an index is cheaper than trying them all. */
  #index: RuleIndex | undefined;
  #letsTunnelsIn: boolean | undefined;
  #accessLog: AccessLog | undefined;
  /** Made when somebody follows the traffic. */
  #liveLines: LiveLines | undefined;
  #errorPages: ErrorPages;
  readonly counts: WebappCounts;
  readonly #sessions: Sessions | undefined;
  readonly #tracing: Tracing | undefined;

  constructor(context: Context<PropsOf<typeof props>, undefined>) {
    this.#context = context;
    const { props, log } = context;
    const { withStater } = props;
    this.#tls = new SiteFiles(props);
    this.#errorPages = ErrorPages.of(props);
    this.counts = new WebappCounts(context.metrics, context.name);
    if (withStater !== undefined) this.#sessions = new Sessions(() => withStater.current, log);
    const { clock } = context.stage;
    if (props.traceTo !== undefined)
      this.#tracing = new Tracing(props, clock, context.operator.requests, () => context.path);
  }

  update(): void {
    this.#errorPages = ErrorPages.of(this.#context.props);
    this.#liveLines = undefined;
  }

  get hostnames(): readonly string[] {
    return this.#context.props.hostnames;
  }

  get webapp(): WebappPart {
    return this;
  }

  get settings(): ReadonlyMap<string, string> {
    return this.#context.props.settings;
  }

  get tls(): SiteFiles {
    return this.#tls;
  }

  async examine(): Promise<void> {
    const { props } = this.#context;
    await this.#tls.readApart();
    await examineErrorPages(props);
    if (props.file404 !== undefined) await examineFile("file404", "the file for 404,", props.file404);
  }

  async prepare(): Promise<void> {
    this.#accessLog = await this.#openLog(this.#context.props);
    await this.#tls.load();
  }

  async revise(next: PropsOf<typeof props>, changed: ReadonlySet<string>): Promise<Revision> {
    const areFilesOthers = webappTlsPropNames.some((name) => changed.has(name));
    let otherTls = areFilesOthers ? new SiteFiles(next) : this.#tls;
    if (areFilesOthers) await otherTls.load();
    // The last step that can fail.
    const log = changed.has("accessLog") ? await this.#reviseLog(next) : undefined;
    return {
      swap: () => {
        [this.#tls, otherTls] = [otherTls, this.#tls];
        log?.swap();
      },
      done: () => log?.done(),
    };
  }

  async #reviseLog(next: PropsOf<typeof props>): Promise<Revision> {
    let other = await this.#openLog(next);
    return {
      swap: () => {
        // Requests under way hold on to the log that they began with.
        if (this.#accessLog !== undefined && other !== undefined) this.#accessLog.exchange(other);
        else [this.#accessLog, other] = [other, this.#accessLog];
      },
      done: () => void other?.close(),
    };
  }

  async #openLog({ accessLog }: PropsOf<typeof props>): Promise<AccessLog | undefined> {
    const { stage, log, workers } = this.#context;
    return accessLog === undefined ? undefined : await AccessLog.open(accessLog, stage.clock, log, workers);
  }

  compose(): void {
    this.#rules = this.#context.children(ruleKind).map(({ part }) => part);
    const isIndexed = this.#rules.length >= leastIndexed;
    this.#index = isIndexed ? new RuleIndex(this.#rules.map(({ condition }) => condition)) : undefined;
    this.#letsTunnelsIn = this.#someRuleOpensTunnels();
  }

  /** A stage that only explains does not compose. */
  get letsTunnelsIn(): boolean {
    return this.#letsTunnelsIn ?? this.#someRuleOpensTunnels();
  }

  reopenLogs(): void {
    this.#accessLog?.reopen();
  }

  async shutdown(): Promise<void> {
    await this.#accessLog?.close();
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    // Most requests shall not pay for a trace and a closure, which a function pays for whether it makes it or not.
    return this.#tracing === undefined ? this.#handle(req, resp) : this.#handleTraced(this.#tracing, req, resp);
  }

  #handleTraced(tracing: Tracing, req: Request, resp: Response): boolean | Promise<boolean> {
    tracing.begin(req, resp);
    if (!tracing.isInContext) return this.#handle(req, resp);
    const { trace } = req;
    if (trace === undefined) return this.#handle(req, resp);
    return tracing.runIn(trace, () => this.#handle(req, resp));
  }

  #handle(req: Request, resp: Response): boolean | Promise<boolean> {
    resp.enterWebapp(this.#errorPages);
    if (this.#sessions !== undefined) req.bindSession(this.#sessions, resp);
    if (req.depth > 0) return this.#walk(req, resp, 0, undefined);
    const entry = this.#entryOf(req, resp);
    resp.countFor(this.counts.untaken);
    return this.#walk(req, resp, 0, entry);
  }

  /** For lines about the request; `undefined` if nobody wants one. */
  #entryOf(req: Request, resp: Response): AccessEntry | undefined {
    const isFollowed = this.#context.operator.accesses.isFollowed;
    return isFollowed ? this.#liveEntryOf(req, resp) : this.#accessLog?.follow(req, resp);
  }

  #liveEntryOf(req: Request, resp: Response): AccessEntry {
    const log = this.#accessLog;
    const live = (this.#liveLines ??= this.#newLiveLines());
    return AccessEntry.follow(req, resp, this.#context.stage.clock, (entry) => {
      log?.write(entry);
      live.offer(entry);
    });
  }

  #newLiveLines(): LiveLines {
    const { operator, props } = this.#context;
    const redact = redactQueriesNamed(props.accessLog?.redactQueries ?? []);
    return new LiveLines(operator.accesses, () => this.#context.path, redact);
  }

  explain(req: Request, scope: ExplainScope): Promise<WebappWalk> {
    const { file404 } = this.#context.props;
    const unmatched = file404 === undefined ? "no rule takes it" : `no rule takes it: sends ${file404}`;
    return explainWebapp(this.#context.children(ruleKind), unmatched, req, scope);
  }

  async notFound(_req: Request, resp: Response, sendPage: (resp: Response) => void | Promise<void>): Promise<void> {
    const { file404 } = this.#context.props;
    if (file404 === undefined) return sendPage(resp);
    resp.reset();
    resp.status = 404;
    try {
      await resp.sendFile(file404);
    } catch (error) {
      if (!(error instanceof HTTPError) || resp.isHeadSent) throw error;
      this.#context.log.error("file404 cannot be sent", { file: file404, error });
      await sendPage(resp);
    }
  }

  #someRuleOpensTunnels(): boolean {
    return this.#context.children(ruleKind).some(({ part }) => part.opensTunnels);
  }

  /**
   * Tries the rules from index `from` on. It is synchronous until one of them is asynchronous. An exchan keeps the
   * rules of the generation in which it began.
   */
  #walk(
    req: Request,
    resp: Response,
    from: number,
    entry: AccessEntry | undefined,
    rules = this.#rules,
    index = this.#index,
  ): boolean | Promise<boolean> {
    for (let i = from; ; i = nextAfter(i, req)) {
      if (index !== undefined) i = index.next(i, req);
      const rule = rules[i];
      if (rule === undefined) break;
      const matches = rule.matches(req);
      if (matches === false) continue;
      const taken = matches === true ? enter(rule, req, resp, entry) : enterIf(matches, rule, req, resp, entry);
      if (taken === true) return true;
      if (taken !== false) return this.#walkBehind(taken, i, req, resp, entry, rules, index);
    }
    if (entry !== undefined) {
      entry.isWanted = this.#context.props.logAccess;
      entry.rule = undefined;
    }
    resp.isOf(this.counts.untaken);
    return false;
  }

  /** Tries the rules behind the one at `at` once it is known whether that has taken the request. */
  #walkBehind(
    taken: Promise<boolean>,
    at: number,
    req: Request,
    resp: Response,
    entry: AccessEntry | undefined,
    rules: readonly RulePart[],
    index: RuleIndex | undefined,
  ): Promise<boolean> {
    return taken.then((taken) => taken || this.#walk(req, resp, nextAfter(at, req), entry, rules, index));
  }
}

/** Once it is known whether the rule matches. */
function enterIf(
  matching: Promise<boolean>,
  rule: RulePart,
  req: Request,
  resp: Response,
  entry: AccessEntry | undefined,
): Promise<boolean> {
  return matching.then((matches) => matches && enter(rule, req, resp, entry));
}

/** Not a prop: with fewer rules, trying them all costs about the same. */
const leastIndexed = 8;

/** The rule after the one at `index`, or the first after a rewrite with `startAnew`. */
function nextAfter(index: number, req: Request): number {
  return req.takeNewStart() ? 0 : index + 1;
}

/** Calls the handlets of a matching rule. */
function enter(
  rule: RulePart,
  req: Request,
  resp: Response,
  entry: AccessEntry | undefined,
): boolean | Promise<boolean> {
  if (entry !== undefined) {
    entry.isWanted = rule.logAccess;
    entry.rule = rule;
  }
  return rule.handle(req, resp);
}
