// Maps requests to functions inside a handlet, by method and path. A plain class, not a component.

import type { Explanation } from "../explain/explanation.ts";
import { quote } from "../../config/quote.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { answerOtherMethod } from "../response/other-methods.ts";
import { segmentedPath } from "../request/path.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { sendAnswer, sendPromised } from "./answer.ts";
import { type Params, parsePattern } from "./pattern.ts";
import { type Match, type Route, RouteTree } from "./route-tree.ts";

/**
 * Handles the requests of one route. The return value, or the value of a returned promise, is the content: text is sent
 * as `text/plain`, bytes as `application/octet-stream`, unless the function has set a `content-type`; all other values
 * as JSON. `undefined` means that the function has started the response through `resp` itself; if it has not, the
 * response is 500 with a line in the error log. A function that responds later must return a promise.
 */
export type MappedFunction<Text extends string = string> = (
  req: Request,
  resp: Response,
  params: Params<Text>,
) => unknown;

/** How a mapper handles requests without a route. */
export interface MapperOptions {
  /**
   * The result for a path without a route. `pass`: `handle` returns false, so that the next handlet or rule may take
   * the request; 404: the response is 404. Default: pass.
   */
  readonly otherwise?: "pass" | 404;
}

/**
 * Patterns are compared with the path, exactly and with each segment decoded: `/users` and `/users/` differ. An encoded
 * slash is part of its segment: `/users/a%2Fb` matches `/users/:name`, and the name is `a/b`. `:name` matches one
 * non-empty segment, `:name(\\d+)` one segment that the expression matches completely, and `*name` at the end matches
 * the rest, which may be empty. Priority at each segment: static text, then a param with an expression, then a param,
 * then a wildcard. If one alternative leads to no route, the next is tried.
 *
 * HEAD uses the route of GET. OPTIONS is answered automatically. A method without a route on a path with other routes
 * gives 405 with `allow`.
 *
 *    const mapper = new Mapper()
 *      .get("/users/:id", (req, resp, { id }) => ({ id }))
 *      .mount("/files", filesMapper);
 */
export class Mapper {
  readonly #tree = new RouteTree<MappedFunction>();
  readonly #routes: Route<MappedFunction>[] = [];
  readonly #otherwise: "pass" | 404;
  #mountedAt: string | undefined;

  constructor(options: MapperOptions = {}) {
    this.#otherwise = options.otherwise ?? "pass";
  }

  /** Maps GET and HEAD for paths that match the pattern: `.get("/users/:id", (req, resp, { id }) => ({ id }))`. */
  get<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this {
    return this.on(["GET"], pattern, run);
  }

  /** Needed only if HEAD must differ from GET. */
  head<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this {
    return this.on(["HEAD"], pattern, run);
  }

  /** Maps POST for paths that match the pattern. */
  post<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this {
    return this.on(["POST"], pattern, run);
  }

  /** Maps PUT for paths that match the pattern. */
  put<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this {
    return this.on(["PUT"], pattern, run);
  }

  /** Maps PATCH for paths that match the pattern. */
  patch<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this {
    return this.on(["PATCH"], pattern, run);
  }

  /** Maps DELETE for paths that match the pattern. */
  delete<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this {
    return this.on(["DELETE"], pattern, run);
  }

  /** Maps OPTIONS for paths that match the pattern. By default, the mapper responds with the methods of the path. */
  options<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this {
    return this.on(["OPTIONS"], pattern, run);
  }

  /** Maps all methods without their own route on the same pattern. */
  any<const Text extends string>(pattern: Text, run: MappedFunction<Text>): this;
  any(pattern: string, run: MappedFunction): this {
    this.#add(undefined, pattern, run);
    return this;
  }

  /**
   * Methods are in upper case. Throws HEMI_USAGE for an invalid pattern, and for a method that is already mapped on the
   * same pattern.
   */
  on<const Text extends string>(methods: readonly string[], pattern: Text, run: MappedFunction<Text>): this;
  on(methods: readonly string[], pattern: string, run: MappedFunction): this {
    for (const method of methods) {
      if (!/^[A-Z][A-Z0-9-]*$/.test(method))
        throw new HemiError("HEMI_USAGE", `"${method}" is no method: methods are in upper case`);
      this.#add(method, pattern, run);
    }
    return this;
  }

  /**
   * Adds the routes of another mapper, with `prefix` before each pattern; its `/` becomes `prefix` itself. The other
   * mapper accepts no more routes after that.
   */
  mount(prefix: string, mapper: Mapper): this {
    if (mapper === this) throw new HemiError("HEMI_USAGE", "a mapper cannot be mounted in itself");
    const start = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
    for (const { method, pattern, target } of mapper.#routes) {
      this.#add(method, pattern.text === "/" && start !== "" ? start : start + pattern.text, target);
    }
    mapper.#mountedAt = prefix;
    return this;
  }

  /** In the order in which they were added. */
  get routes(): readonly Route<MappedFunction>[] {
    return this.#routes;
  }

  /** The route of a request. `path`: decoded, except for slashes within segments: see `segmentedPath`. */
  find(method: string, path: string): Match<MappedFunction> | undefined {
    return this.#tree.find(method, path);
  }

  /** The `handle` of a handlet. Errors of a mapped function are thrown here, or reject the returned promise. */
  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const match = this.#tree.find(req.method, segmentedPath(req));
    if (match === undefined) return this.#handleOther(req, resp);
    const { route } = match;
    const answer = route.target(req, resp, match.params);
    if (isPromise(answer)) return sendPromised(resp, answer, route);
    sendAnswer(resp, answer, route);
    return true;
  }

  /** The `explain` of a handlet. */
  explain(req: Request): Explanation {
    const { method } = req;
    const path = segmentedPath(req);
    const match = this.#tree.find(method, path);
    if (match !== undefined) {
      const { route, params } = match;
      const details = Object.entries(params).map(([name, value]) => `${name} = ${quote(value)}`);
      return { takes: "yes", text: `runs ${route.method ?? "any method"} ${route.pattern.text}`, details };
    }
    const methods = this.#tree.methodsOf(path);
    if (methods.length > 0) {
      const status = method === "OPTIONS" ? 204 : 405;
      return { takes: "yes", status, text: `has routes for ${methods.join(", ")} of this path` };
    }
    const text = `has no route for ${quote(req.path)}`;
    return this.#otherwise === "pass" ? { takes: "no", text } : { takes: "yes", status: 404, text };
  }

  #handleOther(req: Request, resp: Response): boolean {
    const methods = this.#tree.methodsOf(segmentedPath(req));
    if (methods.length > 0) {
      answerOtherMethod(req, resp, methods);
      return true;
    }
    if (this.#otherwise === "pass") return false;
    resp.status = 404;
    resp.send("404 Not Found\n");
    return true;
  }

  #add(method: string | undefined, text: string, target: MappedFunction): void {
    if (this.#mountedAt !== undefined) {
      throw new HemiError("HEMI_USAGE", `${text} comes too late: its mapper is mounted at ${this.#mountedAt} already`);
    }
    const route = { method, pattern: parsePattern(text), target };
    const taken = this.#tree.add(route);
    if (taken !== undefined) {
      const alias = taken.pattern.text === text ? "" : `, as ${taken.pattern.text}`;
      throw new HemiError("HEMI_USAGE", `${method ?? "any method"} ${text} is mapped already${alias}`);
    }
    this.#routes.push(route);
  }
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function";
}
