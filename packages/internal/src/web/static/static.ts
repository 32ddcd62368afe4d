// static: answers requests with the files of a folder.

import type { Context } from "../../stage/context.ts";
import type { Explanation } from "../explain/explanation.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { isHTMLNamed } from "../../http/accept.ts";
import { examineFile, examineFolder } from "../examine-files.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet, type ExplainScope, type HandletPart } from "../kinds.ts";
import { answerOtherMethod } from "../response/other-methods.ts";
import { namesNoFile } from "../request/path.ts";
import { defaultMaxRanges } from "../response/range.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { codings } from "../response/codings.ts";
import { memoizeField } from "../../http/field-memo.ts";
import { explainStatic } from "./explain-static.ts";
import { FileResponses } from "./file-answers.ts";
import { ListingResponses } from "./listing-answers.ts";
import { isHidden } from "./hidden.ts";
import { WebRoot } from "./web-root.ts";

const props = {
  /**
   * The folder that the files are in. Nothing outside of it is sent, symbolic links included: where they lead must be
   * inside.
   */
  webRoot: prop.path({ required: true, inherited: true }),
  /** The file that stands for a folder, when the path ends with "/". */
  indexFile: prop.string({
    default: "index.html",
    pattern: { expression: /^[^/\\\0]+$/, takes: "the name of a file" },
  }),
  /**
   * The file that stands for all that is not there, as single-page apps want it: its path from `webRoot`, such as
   * `index.html`. It answers, with 200, GET and HEAD of those who name `text/html` in `Accept`, as browsers do when
   * they open a page; scripts, images and API calls still find nothing. Whatever `maxAge` says, it goes out with
   * `cache-control: no-cache`: a file may come to stand where it stood in.
   */
  fallback: prop.string({
    pattern: {
      expression: /^[^/\\\0]+(?:\/[^/\\\0]+)*$/,
      takes: "the path of a file in the web root, without a slash before it",
    },
    reload: "live",
  }),
  /** How long a client may use its copy without asking: `cache-control: max-age`. Without it, nothing is said. */
  maxAge: prop.duration({ max: "24855d", reload: "live" }),
  /**
   * Beside `maxAge`: not even a reload makes a client ask (RFC 8246). For files that change their name when they
   * change, such as `app.3f9a1c.js`, and for no others.
   */
  immutable: prop.bool({ default: false, reload: "live" }),
  /**
   * What `text/*` is said to be encoded in, but for `text/xml`, which tells by itself; "" says nothing. Files are sent
   * as they are: this changes no byte of them.
   */
  charset: prop.string({
    default: "utf-8",
    pattern: { expression: /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*$/, takes: "the name of a charset" },
    reload: "live",
  }),
  /**
   * Codings that files may lie beside themselves in: `app.js.br` for `br`, `.zst` for `zstd`, `.gz` for `gzip`. A
   * client gets the one it likes best by its `Accept-Encoding`, of equal ones the first in this list, and the file
   * itself if it takes none of them. One that is empty or older than its file is left alone; so that none is sent
   * half-written, write it elsewhere and rename it. Each has an entity tag of its own; ranges are those of the
   * compressed bytes, one in each request; several get the whole. zstd must keep to windows of 8 MB, which is all that browsers take (RFC 9659).
   */
  precompressed: prop.list(prop.choice(codings), { default: [], reload: "live" }),
  /**
   * How many ranges of a file one request may ask for; several are sent as `multipart/byteranges`. If there are more,
   * or two of them overlap, the whole file is sent (RFC 9110 section 14.2). 0: it always is.
   */
  maxRanges: prop.integer({ default: defaultMaxRanges, max: 1000, reload: "live" }),
  /**
   * "html": a folder without its index file is answered with what is in it, sorted, but for names that begin with a
   * dot. Those who like `application/json` better by their `Accept`, or name it and not `text/html`, get
   *
   *     { "path": "/docs/", "isComplete": true, "entries": [
   *       { "name": "old", "type": "directory", "modified": "2026-01-02T03:04:05.000Z" },
   *       { "name": "a.txt", "type": "file", "size": 5, "modified": "2026-01-02T03:04:05.000Z" } ] }
   *
   * with sizes in bytes. Anyone can then see every name: "off" unless that is wanted.
   */
  listing: prop.choice(["off", "html"], { default: "off", reload: "live" }),
  /** So many entries of a folder are listed; if there are more, the listing says that it is not complete. */
  maxListed: prop.integer({ default: 1000, min: 1, max: 100_000, reload: "live" }),
};

type StaticProps = PropsOf<typeof props>;

/**
 * Answers GET and HEAD with the files of a folder; other methods on them get 405. A path that leads to no file is left
 * to the next handlet or rule, and so is one that no file can have: with `%2F`, `%5C` or what is not UTF-8. Names that begin with a dot get 404, but
 * for what is in `/.well-known/` (RFC 8615). A folder without its "/" is redirected.
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
  },
  create: (context): HandletPart => new Static(context),
});

class Static implements HandletPart {
  readonly #context: Context<StaticProps>;
  readonly #root: WebRoot;
  #answers: Answers;
  /** The path asked for last, and its file: a name that is put together once is hashed once. */
  #lastPath = "";
  #lastFile = "";

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
    if (namesNoFile(req)) return this.#fallBack(req, resp);
    if (isHidden(path)) throw new HTTPError(404, "files whose names begin with a dot are not served");
    const { webRoot, indexFile } = this.#context.props;
    if (path !== this.#lastPath) {
      this.#lastPath = path;
      this.#lastFile = webRoot + (path.endsWith("/") ? path + indexFile : path);
    }
    const file = this.#lastFile;
    const entry = this.#context.stage.fcache.peek(file);
    return entry === undefined ? this.#openAndAnswer(req, resp, file) : this.#answer(req, resp, entry);
  }

  explain(req: Request, { fcache }: ExplainScope): Promise<Explanation> {
    return explainStatic(req, this.#context.props, fcache);
  }

  async #openAndAnswer(req: Request, resp: Response, file: string): Promise<boolean> {
    return this.#answer(req, resp, await this.#context.stage.fcache.open(file));
  }

  /** Runs in the turn in which the entry was got: its descriptor is open in this turn. */
  #answer(req: Request, resp: Response, entry: Entry): boolean | Promise<boolean> {
    switch (entry.kind) {
      case "file":
        return this.#answers.files.answer(req, resp, entry);
      case "directory":
      case "missing":
      case "special":
        return this.#answerWithoutFile(req, resp, entry.kind === "directory");
      case "denied":
        throw new HTTPError(403, `${entry.path} cannot be read: ${entry.code}`);
      case "failed":
        throw new HTTPError(503, `${entry.path} cannot be opened: ${entry.code}`);
    }
  }

  #answerWithoutFile(req: Request, resp: Response, isFolder: boolean): boolean | Promise<boolean> {
    const { listings } = this.#answers;
    if (!req.path.endsWith("/")) {
      if (isFolder) return this.#elseFallBack(req, resp, this.#redirect(req, resp));
    } else if (listings !== undefined) return this.#elseFallBack(req, resp, this.#list(req, resp, listings));
    return this.#fallBack(req, resp);
  }

  async #elseFallBack(req: Request, resp: Response, taken: Promise<boolean>): Promise<boolean> {
    return (await taken) || this.#fallBack(req, resp);
  }

  /** `/docs` to `/docs/`, where there is something to be seen: its links are relative to the folder. */
  async #redirect(req: Request, resp: Response): Promise<boolean> {
    const { props, stage } = this.#context;
    const folder = `${props.webRoot}${req.path}/`;
    let there = await stage.fcache.open(folder + props.indexFile);
    if (there.kind !== "file" && this.#answers.listings !== undefined) there = await stage.fcache.open(folder);
    if ((there.kind !== "file" && there.kind !== "directory") || !(await this.#root.admits(there))) return false;
    if (req.method !== "GET" && req.method !== "HEAD") answerOtherMethod(req, resp, ["GET", "HEAD"]);
    // One slash at the beginning: two would make the first name a host.
    else resp.redirect(`${req.encodedPath.replace(/^\/+/, "/")}/${req.queryString}`, 301);
    return true;
  }

  async #list(req: Request, resp: Response, listings: ListingResponses): Promise<boolean> {
    const folder = await this.#context.stage.fcache.open(this.#context.props.webRoot + req.path);
    return folder.kind === "directory" && listings.answer(req, resp, folder);
  }

  /** Synchronous for a small file, as long as it is fresh. */
  #fallBack(req: Request, resp: Response): boolean | Promise<boolean> {
    const { fallbacks } = this.#answers;
    if (fallbacks === undefined || (req.method !== "GET" && req.method !== "HEAD")) return false;
    if (!fallbacks.isWanted(req.header("accept"))) return false;
    const { fcache } = this.#context.stage;
    const entry = fcache.peek(fallbacks.path);
    if (entry !== undefined) return entry.kind === "file" && fallbacks.files.answer(req, resp, entry);
    return fcache.open(fallbacks.path).then((entry) => {
      return entry.kind === "file" && fallbacks.files.answer(req, resp, entry);
    });
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
  const fallback = props.fallback === undefined ? undefined : `${props.webRoot}/${props.fallback}`;
  return {
    files: new FileResponses(fcache, root, { ...common, maxAge, immutable }),
    listings: props.listing === "off" ? undefined : new ListingResponses(root, props.maxListed),
    fallbacks:
      fallback === undefined
        ? undefined
        : {
            path: fallback,
            files: new FileResponses(fcache, root, { ...common, noCache: true, vary: "Accept" }),
            isWanted: memoizeField(isHTMLNamed),
          },
  };
}
