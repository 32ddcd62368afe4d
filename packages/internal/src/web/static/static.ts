// static: answers requests with the files of a folder.

import { realpath } from "node:fs/promises";
import type { Context } from "../../component/context.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Entry, FileEntry } from "../../fixtures/fcache-entry.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet, type HandletPart } from "../kinds.ts";
import { answerOtherMethod } from "../other-methods.ts";
import { hasEncodedSeparator } from "../path.ts";
import { type Representation, representFile, sendRepresentation } from "../representation.ts";
import type { Request } from "../request.ts";
import type { Response } from "../response.ts";

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
  /** How long a client may use its copy without asking: `cache-control: max-age`. Without it, nothing is said. */
  maxAge: prop.duration({ reload: "live" }),
};

/**
 * Answers GET and HEAD with the files of a folder; other methods on them get 405. A path that leads to no file is left
 * to the next rule. Names that begin with a dot get 404, but for what is in `/.well-known/` (RFC 8615), and so do `%2F`
 * and `%5C`. A folder without its "/" is redirected.
 */
export const staticHandlet = defineHandlet({
  sign: "static",
  props,
  create: (context): HandletPart => new Static(context),
});

class Static implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  /** Of files that are known to be inside of the root. An entry never changes, so neither does what is known of it. */
  #representations = new WeakMap<FileEntry, Representation>();
  /** The web root without symbolic links, as last seen; ends with "/". */
  #realRoot: string | undefined;
  /** Files that were found outside, and told of in the log. */
  readonly #outside = new WeakSet<FileEntry>();

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  async prepare(): Promise<void> {
    const { props, stage, log } = this.#context;
    const root = await stage.fcache.open(props.webRoot);
    if (root.kind === "directory") this.#realRoot = withSlash(root.realPath);
    else log.warn(`the web root ${props.webRoot} is no folder that can be read, as yet: ${root.kind}`);
  }

  update(): void {
    this.#representations = new WeakMap();
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const { path } = req;
    if (!path.startsWith("/")) return false;
    if (hasEncodedSeparator(req.encodedPath)) throw new HTTPError(404, "a file's name holds no slash or backslash");
    if (isHidden(path)) throw new HTTPError(404, "files whose names begin with a dot are not served");
    const { webRoot, indexFile } = this.#context.props;
    const file = webRoot + (path.endsWith("/") ? path + indexFile : path);
    const entry = this.#context.stage.fcache.peek(file);
    return entry === undefined ? this.#openAndAnswer(req, resp, file) : this.#answer(req, resp, entry);
  }

  async #openAndAnswer(req: Request, resp: Response, file: string): Promise<boolean> {
    return this.#answer(req, resp, await this.#context.stage.fcache.open(file));
  }

  #answer(req: Request, resp: Response, entry: Entry): boolean | Promise<boolean> {
    switch (entry.kind) {
      case "file":
        return this.#answerWith(req, resp, entry);
      case "directory":
        return req.path.endsWith("/") ? false : this.#redirect(req, resp);
      case "missing":
      case "special":
        return false;
      case "denied":
        throw new HTTPError(403, `${entry.path} cannot be read: ${entry.code}`);
      case "failed":
        throw new HTTPError(503, `${entry.path} cannot be opened: ${entry.code}`);
    }
  }

  /** Runs in the turn in which the entry was got: its descriptor is open in this turn. */
  #answerWith(req: Request, resp: Response, file: FileEntry): boolean | Promise<boolean> {
    const representation = this.#representations.get(file) ?? this.#represent(file);
    if (representation === undefined) return this.#lookAgain(req, resp, file);
    if (req.method === "GET" || req.method === "HEAD") return sendRepresentation(req, resp, representation);
    answerOtherMethod(req, resp, ["GET", "HEAD"]);
    return true;
  }

  /** `undefined` for a file that is not inside of the root as it was last seen. */
  #represent(file: FileEntry): Representation | undefined {
    if (this.#realRoot === undefined || !file.realPath.startsWith(this.#realRoot)) return undefined;
    const representation = representFile(file, this.#context.props.maxAge);
    this.#representations.set(file, representation);
    return representation;
  }

  /** The root may be a symbolic link, and lead elsewhere by now: that is how many deploy a release. */
  async #lookAgain(req: Request, resp: Response, file: FileEntry): Promise<boolean> {
    file.acquire();
    try {
      this.#realRoot = withSlash(await realpath(this.#context.props.webRoot));
      if (this.#represent(file) !== undefined) return await this.#answerWith(req, resp, file);
    } finally {
      file.release();
    }
    if (!this.#outside.has(file)) {
      this.#outside.add(file);
      this.#context.log.warn(`${file.path} is not sent: it leads to ${file.realPath}, outside of the web root`);
    }
    return false;
  }

  /** `/docs` to `/docs/`, where there is an index to be seen: its links are relative to the folder. */
  async #redirect(req: Request, resp: Response): Promise<boolean> {
    const { props, stage } = this.#context;
    const index = await stage.fcache.open(`${props.webRoot}${req.path}/${props.indexFile}`);
    if (index.kind !== "file") return false;
    if (req.method !== "GET" && req.method !== "HEAD") answerOtherMethod(req, resp, ["GET", "HEAD"]);
    // One slash at the beginning: two would make the first name a host.
    else resp.redirect(`${req.encodedPath.replace(/^\/+/, "/")}/${req.queryString}`, 301);
    return true;
  }
}

/** Whether a segment begins with a dot: `.env`, `.git/config`. */
function isHidden(path: string): boolean {
  return path.includes("/.", path.startsWith("/.well-known/") ? 1 : 0);
}

function withSlash(folder: string): string {
  return folder.endsWith("/") ? folder : folder + "/";
}
