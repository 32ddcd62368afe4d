// favicon: answers what browsers ask every site for.

import {
  answerOtherMethod,
  type Context,
  defineHandlet,
  examineFile,
  type Explanation,
  type ExplainScope,
  type HandletPart,
  prop,
  type PropsOf,
  type Representation,
  representContent,
  representFile,
  type Request,
  type Response,
  sendRepresentation,
} from "@hemi/internal";
import { makeHemiIcon } from "./hemi-icon.ts";

const props = {
  /** The icon to send, of any type that browsers take; its media type follows from its name. Default: Hemi's own. */
  file: prop.path(),
  /** How long a browser may use its copy without asking: `cache-control: max-age`. */
  maxAge: prop.duration({ default: "1d", max: "24855d", reload: "live" }),
};

/**
 * Answers GET and HEAD of `/favicon.ico`, and other methods on it with 405. All other paths are left to the next
 * handlet or rule, and so is this one while its file is missing.
 */
export const favicon = defineHandlet({
  sign: "favicon",
  props,
  create: (context): HandletPart => new Favicon(context),
});

class Favicon implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #icon: Representation | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  async examine(): Promise<void> {
    const { file } = this.#context.props;
    if (file !== undefined) await examineFile("file", "the icon", file);
  }

  async prepare(): Promise<void> {
    const { props, stage, log } = this.#context;
    if (props.file === undefined) return;
    const { kind } = await stage.fcache.open(props.file);
    if (kind !== "file") log.warn(`the icon ${props.file} is no file that can be read, as yet: ${kind}`);
  }

  update(): void {
    this.#icon = undefined;
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    if (req.path !== "/favicon.ico") return false;
    const { file } = this.#context.props;
    return file === undefined ? this.#send(req, resp, this.#builtIn()) : this.#sendFile(req, resp, file);
  }

  async explain({ path, method }: Request, { fcache }: ExplainScope): Promise<Explanation> {
    if (path !== "/favicon.ico") return { takes: "no", text: "the path is not /favicon.ico" };
    const { file } = this.#context.props;
    if (file !== undefined && (await fcache.open(file)).kind !== "file") {
      return { takes: "no", text: `there is no file ${file}` };
    }
    if (method === "OPTIONS") return { takes: "yes", status: 204, text: "says which methods it has" };
    if (method !== "GET" && method !== "HEAD") return { takes: "yes", status: 405, text: `${method} is not for icons` };
    return { takes: "yes", text: file === undefined ? "sends its own icon" : `sends ${file}` };
  }

  async #sendFile(req: Request, resp: Response, file: string): Promise<boolean> {
    const { props, stage } = this.#context;
    const entry = await stage.fcache.open(file);
    return entry.kind === "file" && (await this.#send(req, resp, representFile(entry, { maxAge: props.maxAge })));
  }

  #send(req: Request, resp: Response, icon: Representation): true | Promise<true> {
    if (req.method === "GET" || req.method === "HEAD") return sendRepresentation(req, resp, icon);
    answerOtherMethod(req, resp, ["GET", "HEAD"]);
    return true;
  }

  #builtIn(): Representation {
    return (this.#icon ??= representContent(makeHemiIcon(), "image/x-icon", { maxAge: this.#context.props.maxAge }));
  }
}
