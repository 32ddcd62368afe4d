// fcgiRelay and scgiRelay: forward requests to programs. They differ in the backends that they use.

import type { SelectionHint } from "../../backend/selection-hint.ts";
import type { BackendRequest, WebBackend } from "../../http/web-backend.ts";
import type { CgiBackend, CgiRequest } from "../../cgi/programs.ts";
import { tellRequest, type Script } from "./request-params.ts";
import type { Context } from "../../stage/context.ts";
import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Reference } from "../../component/reference.ts";
import { compileTemplate } from "../../component/template.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import { FieldNames } from "../../http/field-names.ts";
import { examineFile, examineFolder } from "../../component/examine-files.ts";
import type { Explanation } from "../../web/explain/explanation.ts";
import type { ExplainScope, HandletPart } from "../../web/kinds.ts";
import { namesNoFile, segmentedPath } from "../../web/request/path.ts";
import { pathPrefix } from "../../web/request/path-prefix.ts";
import { checkResponseProps, ResponseEdits } from "../../web/proxy/response-edits.ts";
import { retryRulesOf } from "../../web/proxy/retries.ts";
import { exchangeProps } from "../../web/proxy/exchange-props.ts";
import { FieldEdits } from "../../web/proxy/field-edits.ts";
import { underscoreProps } from "../../web/proxy/passed-requests.ts";
import { PathEdits } from "../../web/proxy/path-edits.ts";
import { ProxiedExchan, type ProxyTraits } from "../../web/proxy/proxied-exchan.ts";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import { localPathOf } from "../../web/static/candidates.ts";
import { isHidden } from "../../web/static/hidden.ts";
import { isInWebRoot, WebRoot } from "../../web/static/web-root.ts";
import { webVariables } from "../../web/conditions/variables.ts";
import { compileFileTemplate } from "../../web/conditions/file-template.ts";
import { Complaints } from "./complaints.ts";
import { scriptOf } from "./script.ts";

export const relayProps = {
  /** The folder with the scripts. Programs also receive this name, so it must be valid for them. */
  webRoot: prop.path({ required: true, inherited: true }),
  /**
   * A prefix that paths lose before scripts are looked up: with "/blog", `/blog/a.php` is the script `a.php` in
   * `webRoot`. Paths that do not begin with it are left to the next handlet or rule. Programs are told of the prefix as
   * part of `SCRIPT_NAME` and `REQUEST_URI`: they make their own URLs of that.
   */
  stripPrefix: prop.string({ pattern: pathPrefix }),
  /**
   * One script for all paths, such as `%baseDir + "/web/index.php"`: the front controller of most frameworks. It reads
   * the requested path from `REQUEST_URI`. Unset: the path selects the script, and a path without a script is left to
   * the next handlet or rule.
   */
  scriptFilename: prop.path(),
  /**
   * The script for paths that end with `/`. A path without the slash to a folder that contains it is redirected to the
   * path with the slash.
   */
  indexFile: prop.string({
    default: "index.php",
    minLength: 1,
    pattern: { expression: /^[^/]+$/, takes: "a file's name" },
  }),
  /**
   * Extensions of scripts, after which the path may continue: `/a.php/b` is the script `/a.php` with the `PATH_INFO`
   * `/b`. Empty: any path may be a script.
   */
  splitPathInfo: prop.strings({ default: [".php"] }),
  /**
   * Whether the script must be a file inside `webRoot` before the backend is used. If the backend does not check this
   * itself, like older PHP versions, a path such as `/upload/photo.jpg/x.php` would run the photo. Set it to false only
   * if the files are not accessible from here.
   */
  checkScript: prop.bool({ default: true }),
  /**
   * Additional parameters for programs, or other values for existing ones: `["APP_ENV": "production"]`.
   * `SERVER_SOFTWARE` is `hemi (like nginx)`, because WordPress offers URLs without `index.php` only for known server
   * names. `DOCUMENT_ROOT`, `SCRIPT_FILENAME` and `PATH_TRANSLATED` name files: a request gets 400 if a variable other
   * than `$path` contains a slash there, or a value makes a dot segment such as `..`.
   */
  params: prop.dict(prop.template(), { default: {} }),
  /**
   * Maximum size of a program's standard error output that is logged for each request, in bytes. The rest is dropped.
   */
  maxComplaints: prop.size({ default: "16K", reload: "live" }),
  ...underscoreProps,
  ...exchangeProps,
};

export interface RelayProps extends PropsOf<typeof relayProps> {
  readonly toBackend: Reference<CgiBackend>;
}

/** Reports invalid response fields, and parameter names that no program could read. */
export function checkRelay(context: CheckContext<RelayProps>): void {
  checkResponseProps(context);
  for (const name of context.props.params.keys()) {
    if (/^\w+$/.test(name)) continue;
    const message = `${JSON.stringify(name)} is no name of a variable: it takes letters, digits and _`;
    context.report({ prop: "params", message });
  }
}

/** Parameters that name a file or folder. */
const filenames: ReadonlySet<string> = new Set(["DOCUMENT_ROOT", "SCRIPT_FILENAME", "PATH_TRANSLATED"]);

export class Relay implements HandletPart {
  readonly defaultMaxContentSize = Infinity;
  readonly #context: Context<RelayProps>;
  readonly #root: WebRoot;
  readonly #traits: ProxyTraits;
  readonly #params: readonly (readonly [name: string, value: (req: Request) => string])[];
  readonly #hashOn: ((req: Request) => string) | undefined;

  constructor(context: Context<RelayProps>) {
    this.#context = context;
    const { props, log } = context;
    this.#root = new WebRoot(props.webRoot, log);
    this.#params = [...props.params].map(([name, value]) => [
      name,
      filenames.has(name) ? compileFileTemplate(value) : compileTemplate(value, webVariables),
    ]);
    this.#hashOn = props.hashOn === undefined ? undefined : compileTemplate(props.hashOn, webVariables);
    this.#traits = makeTraits(context);
  }

  async prepare(): Promise<void> {
    if (this.#context.props.checkScript) await this.#root.prepare(this.#context.stage.fcache);
  }

  async examine(): Promise<void> {
    const { checkScript, webRoot, scriptFilename } = this.#context.props;
    if (!checkScript) return;
    await examineFolder("webRoot", "the web root", webRoot);
    if (scriptFilename !== undefined) await examineFile("scriptFilename", "the script", scriptFilename);
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const cgi = this.#context.props.toBackend.current;
    const { stripPrefix, checkScript } = this.#context.props;
    const local = localPathOf(segmentedPath(req), stripPrefix);
    if (local === undefined) return false;
    const script = this.#scriptFor(local, stripPrefix ?? "");
    if (script === undefined) return this.#redirectFolder(local, req, resp);
    if (!checkScript) return this.#relay(cgi, script, req, resp);
    return this.#checkAndRelay(cgi, script, req, resp);
  }

  async explain(req: Request, { fcache }: ExplainScope): Promise<Explanation> {
    const { stripPrefix, checkScript, webRoot, indexFile } = this.#context.props;
    const local = localPathOf(segmentedPath(req), stripPrefix);
    if (local === undefined) return { takes: "no", text: `its path does not begin with ${stripPrefix}` };
    const script = this.#scriptFor(local, stripPrefix ?? "");
    if (script === undefined) {
      const index = `${webRoot}${local}/${indexFile}`;
      const isFolder = this.#mayBeFolder(local, req) && (await this.#isInside(index, fcache));
      if (!isFolder) return { takes: "no", text: `${req.path} names no script` };
      return { takes: "yes", status: 301, text: `there is ${index}: redirects to its path with a slash` };
    }
    const { filename } = script;
    const { kind } = checkScript ? await fcache.open(filename) : { kind: "denied" };
    if (kind !== "denied" && !(await this.#isInside(filename, fcache))) {
      return { takes: "no", text: `there is no script ${filename} in the web root` };
    }
    return { takes: "yes", text: `runs ${filename}` };
  }

  async #isInside(file: string, fcache: Fcache): Promise<boolean> {
    const entry = await fcache.open(file);
    return entry.kind === "file" && (await isInWebRoot(this.#context.props.webRoot, entry.realPath));
  }

  async #checkAndRelay(cgi: CgiBackend, script: Script, req: Request, resp: Response): Promise<boolean> {
    const entry = await this.#context.stage.fcache.open(script.filename);
    // The program may be able to read it although this process cannot.
    if (entry.kind === "denied") return this.#relay(cgi, script, req, resp);
    if (entry.kind !== "file" || !(await this.#root.admits(entry))) return false;
    return this.#relay(cgi, script, req, resp);
  }

  /** Redirects `/blog` to `/blog/` if the index file exists there: links in its page are relative to the folder. */
  async #redirectFolder(local: string, req: Request, resp: Response): Promise<boolean> {
    if (!this.#mayBeFolder(local, req)) return false;
    const { webRoot, indexFile } = this.#context.props;
    const entry = await this.#context.stage.fcache.open(`${webRoot}${local}/${indexFile}`);
    if (entry.kind !== "file" || !(await this.#root.admits(entry))) return false;
    // Two slashes would make the first name a host.
    resp.redirect(`${req.encodedPath.replace(/^\/+/, "/")}/${req.queryString}`, 301);
    return true;
  }

  #mayBeFolder(local: string, req: Request): boolean {
    const { path, method } = req;
    const isFolderLike = path.startsWith("/") && !path.endsWith("/") && !namesNoFile(req) && !isHidden(local);
    return isFolderLike && this.#context.props.checkScript && (method === "GET" || method === "HEAD");
  }

  /** The script for a segmented path without its prefix; `undefined` if it leads to none. */
  #scriptFor(path: string, prefix: string): Script | undefined {
    const { webRoot, scriptFilename, indexFile, splitPathInfo } = this.#context.props;
    if (scriptFilename !== undefined) {
      const isInRoot = scriptFilename.startsWith(`${webRoot}/`);
      const name = isInRoot ? scriptFilename.slice(webRoot.length) : `/${scriptFilename.replace(/^.*\//, "")}`;
      return { filename: scriptFilename, name: prefix + name, pathInfo: "", documentRoot: webRoot };
    }
    const found = path.startsWith("/") ? scriptOf(path, { indexFile, endings: splitPathInfo }) : undefined;
    if (found === undefined) return undefined;
    return { ...found, name: prefix + found.name, filename: webRoot + found.name, documentRoot: webRoot };
  }

  /** Content of unknown size is buffered, because a program receives the size first. */
  async #relay(cgi: CgiBackend, script: Script, req: Request, resp: Response): Promise<boolean> {
    const { bufferClientContent, maxBufferedContent } = this.#context.props;
    const { passedSize } = req.content;
    // A program receives the content size (RFC 3875 4.1.2): content without one must be buffered, up to the limits of
    // the rule.
    const isGathered =
      req.hasContent && (passedSize === undefined || (bufferClientContent && passedSize <= maxBufferedContent));
    const content = isGathered ? await req.content.passedBytes() : undefined;
    const contentSize = content?.length ?? (req.hasContent ? passedSize : 0);
    const asked: CgiRequest = {
      method: req.method,
      params: this.#paramsFor(cgi, script, req, contentSize),
      contentSize,
      complained: new Complaints(this.#context.log, this.#context.props.maxComplaints, req.id).add,
    };
    const backend: WebBackend = {
      stickyCookie: undefined,
      whyNoRetry: (tried) => cgi.whyNoRetry(tried),
      explain: (wish) => cgi.explain(wish),
      exchange: (_request, wish, taker) => cgi.exchange(asked, wish, taker),
    };
    return await new ProxiedExchan(
      this.#traits,
      backend,
      headOf(req, contentSize),
      this.#wishOf(req),
      req,
      resp,
      content,
    ).begin();
  }

  #paramsFor(cgi: CgiBackend, script: Script, req: Request, contentSize: number | undefined): Buffer {
    const params = cgi.newParams();
    const own = new Map(this.#params.map(([name, value]) => [name, value(req)]));
    const underscores = this.#context.props.underscoresInHeaders;
    tellRequest(req, script, { contentSize, underscores }, (name, value, encoding) => {
      if (!own.has(name)) params.add(name, value, encoding);
    });
    for (const [name, value] of own) params.add(name, value, "utf8");
    return params.bytes();
  }

  #wishOf(req: Request): SelectionHint {
    return {
      key: this.#hashOn === undefined ? req.srcHost : this.#hashOn(req),
      stickTo: "",
      tried: [],
      from: req.sender,
    };
  }
}

function makeTraits({ props, log }: Context<RelayProps>): ProxyTraits {
  const edits = new FieldEdits({
    set: props.setResponseHeaders,
    add: props.addResponseHeaders,
    del: props.delResponseHeaders,
  });
  return {
    log,
    answers: new ResponseEdits({
      edits,
      paths: new PathEdits("", ""),
      rewritesLocation: false,
      rewritesCookies: false,
    }),
    retries: retryRulesOf(props, props.retryAnyMethod),
    takesAccelRedirect: props.accelRedirect,
    bufferedAnswer: props.bufferServerContent ? props.maxBufferedAnswer : 0,
  };
}

/** The head that the exchan of a proxy needs. All else is passed as parameters. */
function headOf(req: Request, contentSize: number | undefined): BackendRequest {
  const { method, scheme, authority, uri: target, headers: received } = req;
  return { method, scheme, authority, target, received, dropped: noNames, added: [], contentSize };
}

const noNames = new FieldNames([]);
