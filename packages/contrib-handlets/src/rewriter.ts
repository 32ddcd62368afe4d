// rewriter: gives requests another path and query, or sends clients there.

import {
  type Context,
  defineHandlet,
  type Explanation,
  type HandletPart,
  prop,
  type PropsOf,
  type Request,
  type Response,
  segmentedPath,
} from "@hemi/internal";
import { compileTarget, faultOfTarget, type MakeTarget } from "./rewrite-target.ts";

const props = {
  /**
   * A regular expression of JavaScript with the flags `s` and `u`, for the path, decoded, but that a slash which the
   * client has encoded (`%2F`) is no slash; it is tried anywhere in it unless it begins with `^`. Nothing bounds the
   * time that it takes: with nested repetition, such as `(a+)+$`, that grows exponentially with the path. Keep it
   * simple.
   */
  pattern: prop.string({ required: true, minLength: 1, reload: "live" }),
  /**
   * The new path, with or without a query; for a redirect also a whole URL. `$1` to `$9` and `$<name>` in its text are
   * what the groups of the pattern matched, `$$` is a dollar sign. A variable such as `$header_x` becomes one segment
   * of the path, or one value of the query, and its slashes are percent-encoded. Groups, `$path`, `$encodedPath`,
   * `$uri` and `$originalURI` keep their slashes within the path, and `$queryString` is a query. None of them can
   * change the scheme or the host of a redirect. A target in which a value makes a dot segment, such as `..`, is
   * answered with 400.
   */
  target: prop.template({ required: true, reload: "live" }),
  /**
   * What comes after it: `continue` asks the next handlet, then the rules behind; `startAnew` begins with the first
   * rule again, ten times at most for one request, then 500; `redirect` sends the client there.
   */
  next: prop.choice(["continue", "startAnew", "redirect"], { default: "continue", reload: "live" }),
  /** Of redirects: 301, 302, 303, 307 or 308. */
  code: prop.integer({ default: 302, min: 301, max: 308, reload: "live" }),
  /**
   * `keep`: the query of the request stands behind that of the target. `replace`: there is no other than that of the
   * target.
   */
  query: prop.choice(["keep", "replace"], { default: "keep", reload: "live" }),
};

/**
 * Gives requests another path and query, by a regular expression: to go on with, to start the rules anew with, or to
 * send their clients there. Requests whose path does not match are left alone. A path that comes out as one that no
 * client may send, such as one above the root, is answered with 400.
 */
export const rewriter = defineHandlet({
  sign: "rewriter",
  props,
  check(context) {
    const { pattern, target, next, code } = context.props;
    if (next === "redirect" && !isRedirect(code)) {
      context.report({ prop: "code", message: `a redirect has the code 301, 302, 303, 307 or 308, not ${code}` });
    }
    const expression = compilePattern(pattern);
    if (typeof expression === "string") return context.report({ prop: "pattern", message: expression });
    const fault = faultOfTarget(target, expression, next === "redirect");
    if (fault !== undefined) context.report({ prop: "target", message: fault });
  },
  create: (context): HandletPart => new Rewriter(context),
});

class Rewriter implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #rewrite: (req: Request) => string | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#rewrite = compileRewrite(context.props);
  }

  update(): void {
    this.#rewrite = compileRewrite(this.#context.props);
  }

  handle(req: Request, resp: Response): boolean {
    const target = this.#rewrite(req);
    if (target === undefined) return false;
    const { next, code } = this.#context.props;
    if (next !== "redirect" || !isRedirect(code)) {
      req.rewrite(target, { startAnew: next === "startAnew" });
      return false;
    }
    resp.redirect(target, code);
    return true;
  }

  explain(req: Request): Explanation {
    const { next, code, pattern } = this.#context.props;
    const target = this.#rewrite(req);
    if (target === undefined) return { takes: "no", text: `${req.path} does not match ${pattern}` };
    if (next === "redirect") return { takes: "yes", status: code, text: `sends the client to ${target}` };
    // What comes behind is explained with what it has become.
    req.rewrite(target, { startAnew: next === "startAnew" });
    return {
      takes: "no",
      text: next === "startAnew" ? `starts the rules anew with ${target}` : `goes on with ${target}`,
    };
  }
}

/** Gives where a request goes; `undefined` if it does not match. */
function compileRewrite({ pattern, target, next, query }: PropsOf<typeof props>): (req: Request) => string | undefined {
  const expression = new RegExp(pattern, "su");
  const makeTarget: MakeTarget = compileTarget(target);
  return function rewrite(req) {
    const match = expression.exec(segmentedPath(req));
    if (match === null) return undefined;
    const made = makeTarget(req, match);
    // Two slashes at the start would be a host.
    const location = next === "redirect" ? made.replace(/^\/{2,}/, "/") : made;
    return query === "keep" ? withQuery(location, req.queryString) : location;
  };
}

/** The query stands behind that of the target, and before its fragment (RFC 3986 3): a `?` within that begins none. */
function withQuery(target: string, queryString: string): string {
  const mark = target.indexOf("#");
  const resource = mark < 0 ? target : target.slice(0, mark);
  const fragment = mark < 0 ? "" : target.slice(mark);
  if (!resource.includes("?")) return resource + queryString + fragment;
  const query = queryString.slice(1);
  return resource + (query === "" || /[?&]$/.test(resource) ? "" : "&") + query + fragment;
}

function compilePattern(pattern: string): RegExp | string {
  try {
    return new RegExp(pattern, "su");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `${JSON.stringify(pattern)} is no regular expression: ${reason}`;
  }
}

type RedirectCode = 301 | 302 | 303 | 307 | 308;

function isRedirect(code: number): code is RedirectCode {
  return [301, 302, 303, 307, 308].includes(code);
}
