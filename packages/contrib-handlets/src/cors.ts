// cors: lets pages of other origins ask (the CORS protocol of the Fetch standard).

import {
  type Context,
  defineHandlet,
  type HandletPart,
  hasListMember,
  prop,
  type PropsOf,
  type Request,
  type Response,
} from "@hemi/internal";
import { changeFinalHead } from "./final-head.ts";
import { originLike, OriginSet, parseOriginPattern } from "./origins.ts";
import { refuse } from "./refuse.ts";

const token = { expression: /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, takes: "a token" };

const props = {
  /**
   * Whose pages may ask: `https://shop.example`, `https://*.shop.example` (any name below), `*.shop.example` (the
   * same), or `*` for everybody. They are compared as text with what browsers send: lower case, no path, no default
   * port.
   */
  origins: prop.strings({ required: true, min: 1, reload: "live" }),
  /** Methods that they may use, beside GET, HEAD and POST, which need no permission. Case counts. `*`: all. */
  methods: prop.strings({ default: ["GET", "HEAD", "POST"], pattern: token, reload: "live" }),
  /** Fields that their requests may have, beside those that need no permission. `*`: all but `authorization`. */
  headers: prop.strings({ default: [], pattern: token, reload: "live" }),
  /** Fields of answers that their scripts may read, beside those that need no permission. `*`: all. */
  expose: prop.strings({ default: [], pattern: token, reload: "live" }),
  /**
   * Whether their requests may carry the user's cookies and credentials, and their scripts read the answers to such.
   * Not together with `*` anywhere: every page of the web could act as the user.
   */
  credentials: prop.bool({ default: false, reload: "live" }),
  /**
   * How long a browser may remember what a preflight told it. Browsers have limits of their own: 2 hours in Chromium, a
   * day in Firefox.
   */
  maxAge: prop.duration({ default: "10m", max: "24855d", reload: "live" }),
};

/**
 * Answers preflights: 204 to allowed origins, 403 to others. All other requests are left to the next handlet or rule,
 * whatever their origin, and the answers to them, errors too, get the fields that tell browsers whether scripts may
 * read them; they take the place of such fields that were set by others. Unless `origins` has `*`, every answer has
 * `vary: origin`, also those without an origin: a cache must not give the answer for one origin to another.
 */
export const cors = defineHandlet({
  sign: "cors",
  props,
  check(context) {
    const { props } = context;
    for (const text of props.origins) {
      if (parseOriginPattern(text) !== undefined) continue;
      const meant = originLike(text);
      const hint =
        meant === undefined ? 'write it like "https://shop.example"' : `did you mean ${JSON.stringify(meant)}?`;
      context.report({ prop: "origins", message: `.origins: ${JSON.stringify(text)} is no origin`, hint });
    }
    if (!props.credentials) return;
    for (const prop of ["origins", "methods", "headers", "expose"] as const) {
      if (props[prop].includes("*")) {
        context.report({ prop, message: `.${prop} cannot have "*" together with .credentials`, hint: "name them" });
      }
    }
  },
  create: (context): HandletPart => new Cors(context),
});

class Cors implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #origins: OriginSet;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#origins = new OriginSet(context.props.origins);
  }

  update(): void {
    this.#origins = new OriginSet(this.#context.props.origins);
  }

  handle(req: Request, resp: Response): boolean {
    const allowed = this.#allow(req.header("origin"));
    const isPreflight =
      req.method === "OPTIONS" &&
      req.header("origin") !== undefined &&
      req.header("access-control-request-method") !== undefined;
    changeFinalHead(resp, this, this.#context.path, () => this.#mark(resp, allowed, isPreflight));
    if (!isPreflight) return false;
    if (allowed === undefined) return refuse(resp, 403);
    // A method or field that is not listed makes no error here: the browser names it to its developer.
    const { methods, headers, maxAge } = this.#context.props;
    resp.status = 204;
    resp.setHeader("access-control-allow-methods", methods.join(", "));
    if (headers.length > 0) resp.setHeader("access-control-allow-headers", headers.join(", "));
    resp.setHeader("access-control-max-age", Math.floor(maxAge / 1000));
    resp.send();
    return true;
  }

  /**
   * The value of `access-control-allow-origin`. `*` goes to requests without an origin too: a cache may keep their
   * answers for others.
   */
  #allow(origin: string | undefined): string | undefined {
    if (this.#origins.isAny) return "*";
    return origin !== undefined && this.#origins.has(origin) ? origin : undefined;
  }

  #mark(resp: Response, allowed: string | undefined, isPreflight: boolean): void {
    const { credentials, expose } = this.#context.props;
    for (const name of answerFields) resp.removeHeader(name);
    if (!this.#origins.isAny) addVary(resp, "origin");
    if (allowed === undefined) return;
    resp.setHeader("access-control-allow-origin", allowed);
    if (credentials) resp.setHeader("access-control-allow-credentials", "true");
    if (expose.length > 0 && !isPreflight) resp.setHeader("access-control-expose-headers", expose.join(", "));
  }
}

const answerFields = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-expose-headers",
] as const;

/** Adds a name to `vary` that is not there; the field may stand in several lines. */
function addVary(resp: Response, name: string): void {
  const { fieldList } = resp;
  if (hasListMember(fieldList, "vary", name) || hasListMember(fieldList, "vary", "*")) return;
  resp.addHeader("vary", name);
}
