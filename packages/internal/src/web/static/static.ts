// static: answers requests with the files of a folder.

import type { Context } from "../../stage/context.ts";
import type { Explanation } from "../explain/explanation.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { isHTMLNamed } from "../../http/accept.ts";
import { examineFile, examineFolder } from "../../component/examine-files.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet, type ExplainScope, type HandletPart } from "../kinds.ts";
import { answerOtherMethod } from "../response/other-methods.ts";
import { namesNoFile } from "../request/path.ts";
import { pathPrefix } from "../request/path-prefix.ts";
import { defaultMaxRanges } from "../response/range.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { codings } from "../response/codings.ts";
import { memoizeField } from "../../http/field-memo.ts";
import { explainStatic } from "./explain-static.ts";
import { FileResponses } from "./file-answers.ts";
import { ListingResponses } from "./listing-answers.ts";
import { type Candidate, candidatesOf, findIndexFile, isScript, localPathOf } from "./candidates.ts";
import { isHidden } from "./hidden.ts";
import { WebRoot } from "./web-root.ts";

const props = {
  /** The folder of the files. Nothing outside of it is sent: symbolic links must lead to a place inside. */
  webRoot: prop.path({ required: true, inherited: true }),
  /**
   * A prefix that is removed from paths before files are looked up: with "/files", `/files/a.css` is `a.css` in
   * `webRoot`. Other paths are left to the next handlet or rule. Only this handlet sees the path without the prefix.
   * Default: none.
   */
  stripPrefix: prop.string({ pattern: pathPrefix }),
  /**
   * The file for a folder, if the path ends with "/"; of several names the first that exists. If its ending is one of
   * `scripts`, the request is left to the next handlet or rule.
   */
  indexFile: prop.strings({
    default: ["index.html"],
    min: 1,
    max: 20,
    oneAlone: true,
    pattern: { expression: /^[^/\\\0]+$/, takes: "the name of a file" },
  }),
  /**
   * Endings that are tried if there is no file of the name: with (".html"), `/about` sends `about.html`, even if there
   * is a folder `about`. Folders are always tried, too.
   */
  tryEndings: prop.strings({
    default: [],
    max: 20,
    pattern: { expression: /^\.[^/\\\0]*[^/\\\0.]$/, takes: 'the ending of a name, such as ".html"' },
  }),
  /**
   * Endings of programs, in upper or lower case. Such files are never sent, which would disclose their source, but left
   * to the next handlet or rule, such as a `fcgiRelay`. Empty: all files are sent.
   */
  scripts: prop.strings({
    default: [".php", ".phtml", ".phar"],
    max: 100,
    pattern: { expression: /^\.[^/\\\0]+$/, takes: 'the ending of a name, such as ".php"' },
  }),
  /**
   * The status for a path that leads to no file, such as 404. Default: the request is left to the next handlet or rule,
   * as it always is for paths outside of `stripPrefix` and for `scripts`.
   */
  otherwise: prop.integer({ min: 400, max: 599, reload: "live" }),
  /**
   * The file that is sent for paths without a file, for single-page apps: its path in `webRoot`, such as `index.html`.
   * It is the response to GET and HEAD, with status 200, for the clients of `fallbackFor`. It always has
   * `cache-control: no-cache`, because a real file may take its place later.
   */
  fallback: prop.string({
    pattern: {
      expression: /^[^/\\\0]+(?:\/[^/\\\0]+)*$/,
      takes: "the path of a file in the web root, without a slash before it",
    },
    reload: "live",
  }),
  /**
   * Who gets `fallback`. `html`: clients whose `Accept` names `text/html`, as browsers do when they open a page;
   * missing scripts, images and API calls stay missing. `any`: all clients.
   */
  fallbackFor: prop.choice(["html", "any"], { default: "html", reload: "live" }),
  /** How long a client may use its copy without asking the server: `cache-control: max-age`. Default: not sent. */
  maxAge: prop.duration({ max: "24855d", reload: "live" }),
  /**
   * In addition to `maxAge`: clients do not ask even at a reload (RFC 8246). Only for files whose name changes with
   * their content, such as `app.3f9a1c.js`.
   */
  immutable: prop.bool({ default: false, reload: "live" }),
  /**
   * The charset in the `content-type` of `text/*`, except `text/xml`, which declares its own; "" for none. It changes
   * no byte of the files.
   */
  charset: prop.string({
    default: "utf-8",
    pattern: { expression: /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*$/, takes: "the name of a charset" },
    reload: "live",
  }),
  /**
   * Codings of compressed files that are kept beside the originals: `app.js.br` for `br`, `.zst` for `zstd`, `.gz` for
   * `gzip`. A client gets the one that its `Accept-Encoding` prefers, of equal ones the first in this list, otherwise
   * the original. A compressed file that is empty or older than the original is not used; write it under another name
   * and rename it, so that it is never sent incomplete. Each has its own entity tag. Ranges are those of the compressed
   * bytes, one for each request; for several, the whole file is sent. zstd must use windows of at most 8 MB, the limit
   * of browsers (RFC 9659).
   */
  precompressed: prop.list(prop.choice(codings), { default: [], reload: "live" }),
  /**
   * Maximum number of ranges in a request; several are sent as `multipart/byteranges`. With more, or if two overlap,
   * the whole file is sent (RFC 9110 section 14.2). 0: ranges are ignored.
   */
  maxRanges: prop.integer({ default: defaultMaxRanges, max: 1000, reload: "live" }),
  /**
   * "html": for a folder without an index file, its entries are listed, sorted, without names that begin with a dot.
   * Clients whose `Accept` prefers `application/json`, or names it and not `text/html`, get
   *
   *     { "path": "/docs/", "isComplete": true, "entries": [
   *       { "name": "old", "type": "directory", "modified": "2026-01-02T03:04:05.000Z" },
   *       { "name": "a.txt", "type": "file", "size": 5, "modified": "2026-01-02T03:04:05.000Z" } ] }
   *
   * with sizes in bytes. A listing shows every name to everybody.
   */
  listing: prop.choice(["off", "html"], { default: "off", reload: "live" }),
  /** Maximum number of entries in a listing. If there are more, the listing says that it is incomplete. */
  maxListed: prop.integer({ default: 1000, min: 1, max: 100_000, reload: "live" }),
};

type StaticProps = PropsOf<typeof props>;

/**
 * Sends the files of a folder for GET and HEAD; other methods get 405. A path without a file is left to the next
 * handlet or rule, and so is one that no file can have: with `%2F`, `%5C`, or octets that are not UTF-8. Names that
 * begin with a dot get 404, except below `/.well-known/` (RFC 8615). A folder without its "/" is redirected.
 */
export const staticHandlet = defineHandlet({
  sign: "static",
  props,
  check(context) {
    const { props } = context;
    if (props.immutable && props.maxAge === undefined) {
      context.report({
        prop: "immutable",
        message: "it says something about maxAge only",
        hint: "set .maxAge, such as 365d",
      });
    }
    if (props.fallback === undefined || !isScript(props.fallback, props.scripts)) return;
    context.report({
      prop: "fallback",
      message: `${props.fallback} is a program, which is not sent: see .scripts`,
      hint: "for a front controller, put a fcgiRelay with .scriptFilename behind it",
    });
  },
  create: (context): HandletPart => new Static(context),
});

class Static implements HandletPart {
  readonly #context: Context<StaticProps>;
  readonly #root: WebRoot;
  #answers: Answers;
  /** The path asked for last, and its files: names that are put together once are hashed once. */
  #lastPath = "";
  #lastCandidates: readonly Candidate[] = [];

  constructor(context: Context<StaticProps>) {
    this.#context = context;
    this.#root = new WebRoot(context.props.webRoot, context.log);
    this.#answers = makeAnswers(context, this.#root);
  }

  async examine(): Promise<void> {
    const { webRoot, fallback } = this.#context.props;
    await examineFolder("webRoot", "the web root", webRoot);
    if (fallback !== undefined) await examineFile("fallback", "the fallback", `${webRoot}/${fallback}`);
  }

  async prepare(): Promise<void> {
    const { props, stage, log } = this.#context;
    await this.#root.prepare(stage.fcache);
    if (props.fallback === undefined) return;
    const { kind, path } = await stage.fcache.open(`${props.webRoot}/${props.fallback}`);
    if (kind !== "file") log.warn(`the fallback ${path} is no file that can be read, as yet: ${kind}`);
  }

  update(): void {
    this.#answers = makeAnswers(this.#context, this.#root);
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const { path } = req;
    if (!path.startsWith("/")) return false;
    const local = localPathOf(path, this.#context.props.stripPrefix);
    if (local === undefined) return false;
    if (namesNoFile(req)) return this.#fallBack(req, resp);
    if (isHidden(local)) throw new HTTPError(404, "files whose names begin with a dot are not served");
    if (path !== this.#lastPath) {
      this.#lastPath = path;
      this.#lastCandidates = candidatesOf(local, this.#context.props);
    }
    return this.#try(req, resp, local, this.#lastCandidates, 0, false);
  }

  explain(req: Request, { fcache }: ExplainScope): Promise<Explanation> {
    return explainStatic(req, this.#context.props, fcache);
  }

  /**
   * Looks for the candidates from `from` on; synchronous as long as they are fresh. `isFolder`: there is a folder of
   * the name.
   */
  #try(
    req: Request,
    resp: Response,
    local: string,
    candidates: readonly Candidate[],
    from: number,
    isFolder: boolean,
  ): boolean | Promise<boolean> {
    for (let i = from; i < candidates.length; i++) {
      const candidate = candidates[i];
      if (candidate === undefined) break;
      const entry = this.#context.stage.fcache.peek(candidate.file);
      if (entry === undefined) return this.#openAndTry(req, resp, local, candidates, i, isFolder);
      const taken = this.#answer(req, resp, entry, candidate);
      if (taken !== undefined) return taken;
      isFolder ||= i === 0 && entry.kind === "directory";
    }
    return this.#answerWithoutFile(req, resp, local, isFolder);
  }

  async #openAndTry(
    req: Request,
    resp: Response,
    local: string,
    candidates: readonly Candidate[],
    from: number,
    isFolder: boolean,
  ): Promise<boolean> {
    for (let i = from; i < candidates.length; i++) {
      const candidate = candidates[i];
      if (candidate === undefined) break;
      const entry = await this.#context.stage.fcache.open(candidate.file);
      const taken = this.#answer(req, resp, entry, candidate);
      if (taken !== undefined) return taken;
      isFolder ||= i === 0 && entry.kind === "directory";
    }
    return this.#answerWithoutFile(req, resp, local, isFolder);
  }

  /** Runs in the turn in which the entry was got: its descriptor is open in this turn. `undefined`: it is no file. */
  #answer(req: Request, resp: Response, entry: Entry, { isScript }: Candidate): boolean | Promise<boolean> | undefined {
    switch (entry.kind) {
      case "file":
        return isScript ? false : this.#elseNothing(this.#answers.files.answer(req, resp, entry));
      case "directory":
      case "missing":
      case "special":
        return undefined;
      case "denied":
        // Who runs it may read it where we may not.
        if (isScript) return false;
        throw new HTTPError(403, `${entry.path} cannot be read: ${entry.code}`);
      case "failed":
        throw new HTTPError(503, `${entry.path} cannot be opened: ${entry.code}`);
    }
  }

  #answerWithoutFile(req: Request, resp: Response, local: string, isFolder: boolean): boolean | Promise<boolean> {
    const { listings } = this.#answers;
    if (!local.endsWith("/")) {
      if (isFolder) return this.#redirect(req, resp, local);
    } else if (listings !== undefined) {
      return this.#elseFallBack(req, resp, this.#list(req, resp, local, listings));
    }
    return this.#fallBack(req, resp);
  }

  async #elseFallBack(req: Request, resp: Response, taken: Promise<boolean>): Promise<boolean> {
    return (await taken) || this.#fallBack(req, resp);
  }

  /** `/docs` to `/docs/`, where there is something to be seen: its links are relative to the folder. */
  async #redirect(req: Request, resp: Response, local: string): Promise<boolean> {
    const index = await findIndexFile(`${local}/`, this.#context.props, this.#context.stage.fcache);
    // Its relay redirects to it.
    if (index?.isScript === true) return false;
    const isListed = index === undefined && this.#answers.listings !== undefined;
    const folder = `${this.#context.props.webRoot}${local}/`;
    const there = isListed ? await this.#context.stage.fcache.open(folder) : index?.entry;
    if (there === undefined || (there.kind !== "file" && there.kind !== "directory")) return this.#fallBack(req, resp);
    if (!(await this.#root.admits(there))) return this.#fallBack(req, resp);
    if (req.method !== "GET" && req.method !== "HEAD") answerOtherMethod(req, resp, ["GET", "HEAD"]);
    // One slash at the beginning: two would make the first name a host.
    else resp.redirect(`${req.encodedPath.replace(/^\/+/, "/")}/${req.queryString}`, 301);
    return true;
  }

  async #list(req: Request, resp: Response, local: string, listings: ListingResponses): Promise<boolean> {
    const folder = await this.#context.stage.fcache.open(this.#context.props.webRoot + local);
    return folder.kind === "directory" && listings.answer(req, resp, folder);
  }

  /** Synchronous for a small file, as long as it is fresh. */
  #fallBack(req: Request, resp: Response): boolean | Promise<boolean> {
    const { fallbacks } = this.#answers;
    if (fallbacks === undefined || (req.method !== "GET" && req.method !== "HEAD")) return this.#nothing();
    if (!fallbacks.isWanted(req.header("accept"))) return this.#nothing();
    const { fcache } = this.#context.stage;
    const entry = fcache.peek(fallbacks.path);
    if (entry !== undefined) return this.#sendFallback(req, resp, fallbacks, entry);
    return fcache.open(fallbacks.path).then((entry) => this.#sendFallback(req, resp, fallbacks, entry));
  }

  #sendFallback(req: Request, resp: Response, { files }: Fallbacks, entry: Entry): boolean | Promise<boolean> {
    return entry.kind === "file" ? this.#elseNothing(files.answer(req, resp, entry)) : this.#nothing();
  }

  /** There is no file: the request is left to others, or refused. */
  #nothing(): false {
    const { otherwise } = this.#context.props;
    if (otherwise === undefined) return false;
    throw new HTTPError(otherwise, "there is no such file, and .otherwise is set");
  }

  #elseNothing(taken: boolean | Promise<boolean>): boolean | Promise<boolean> {
    if (taken === true || this.#context.props.otherwise === undefined) return taken;
    return taken === false ? this.#nothing() : this.#nothingBehind(taken);
  }

  async #nothingBehind(taken: Promise<boolean>): Promise<boolean> {
    return (await taken) || this.#nothing();
  }
}

/** What follows from the props. */
interface Answers {
  readonly files: FileResponses;
  readonly listings: ListingResponses | undefined;
  readonly fallbacks: Fallbacks | undefined;
}

interface Fallbacks {
  readonly path: string;
  readonly files: FileResponses;
  isWanted(accept: string | undefined): boolean;
}

function makeAnswers({ props, stage: { fcache } }: Context<StaticProps>, root: WebRoot): Answers {
  const { charset, maxRanges, maxAge, immutable } = props;
  const common = { charset, maxRanges, codings: [...new Set(props.precompressed)] };
  const isForAny = props.fallbackFor === "any";
  const fallback = props.fallback === undefined ? undefined : `${props.webRoot}/${props.fallback}`;
  return {
    files: new FileResponses(fcache, root, { ...common, maxAge, immutable }),
    listings: props.listing === "off" ? undefined : new ListingResponses(root, props.maxListed),
    fallbacks:
      fallback === undefined
        ? undefined
        : {
            path: fallback,
            files: new FileResponses(fcache, root, {
              ...common,
              noCache: true,
              ...(isForAny ? {} : { vary: "Accept" }),
            }),
            isWanted: isForAny ? () => true : memoizeField(isHTMLNamed),
          },
  };
}
