// fetchHandlet: serves a web-standard app, `fetch(Request) → Response`, for example of Hono.

import {
  answerOtherMethod,
  type Context,
  defineHandlet,
  type HandletPart,
  pathPrefix,
  prop,
  type PropsOf,
  type Request as HemiRequest,
  type Response as HemiResponse,
  withoutPrefix,
} from "@hemi/internal";
import { cancelQuietly } from "./cancel-quietly.ts";
import type { sendFetchResponse } from "./fetch-response.ts";
import { fetchURLOf } from "./fetch-url.ts";
import { type AcceptWebSocket, FetchUpgrade } from "./fetch-upgrade.ts";
import type { makeLightRequest } from "./light-request.ts";
import { isObject, loadApp } from "./load-app.ts";

/** The second argument of an app, besides the Request; in Hono it is `c.env`. */
export interface FetchEnv {
  /** The engine's request: the client's address, locals of earlier handlets, … */
  readonly hemi: HemiRequest;
  /** Opens the WebSocket that the client requests; absent for other requests. See also `upgradeWebSocket`. */
  readonly acceptWebSocket?: AcceptWebSocket;
}

/** An app, or a method of one. */
export type FetchApp = (request: Request, env: FetchEnv) => Response | Promise<Response>;

const props = {
  /**
   * The module whose default export is the app: a function `fetch(request, env)`, or an object with this method. It is
   * loaded once in the life of the process.
   */
  module: prop.module({ required: true }),
  /**
   * A prefix that the app is not told of: with "/shop", it is asked for `/a` where the client asks for `/shop/a`. Paths
   * that do not begin with it are left to the next handlet or rule.
   */
  stripPrefix: prop.string({ pattern: pathPrefix }),
  /**
   * A header field that marks a 404 response of the app as "not mine": the request is left to the next handlet or rule,
   * if the app has read none of its content. Unset: a 404 of the app is sent.
   */
  passHeader: prop.string({
    pattern: { expression: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, takes: "the name of a header field" },
    reload: "live",
  }),
  /**
   * Whether the app uses light replacements of the web's classes: the Request that it receives, and the result of
   * `new Response(text)`. Small responses are then about twice as fast. For this, the globals Request, Response and
   * `fetch` of the process are replaced, from before the app is loaded until the last such handlet is shut down. The
   * replacements lack private fields, which affects two cases: an original Request class or `fetch` that was saved
   * earlier, or comes from another source (the package undici), rejects the app's request; so do borrowed methods, such
   * as `Request.prototype.text.call(request)`. Other code in the process gets these globals, too.
   */
  overrideGlobalObjects: prop.bool({ default: false }),
};

/** Handles all requests with a web-standard app, `fetch(Request)`, for example of Hono. */
export const fetchHandlet = defineHandlet({
  sign: "fetchHandlet",
  props,
  takesAll: ({ props }) => props.passHeader === undefined && props.stripPrefix === undefined,
  create: (context): HandletPart => new FetchHandlet(context),
});

class FetchHandlet implements HandletPart {
  /** In bytes. Most apps hold content in memory without a limit of their own. */
  readonly defaultMaxContentSize = 16 * 1024 * 1024;
  readonly #context: Context<PropsOf<typeof props>>;
  #app: FetchApp = notPrepared;
  #makeRequest: (...args: Parameters<typeof makeLightRequest>) => Request = notPrepared;
  #send: typeof sendFetchResponse = notPrepared;
  #restoreGlobals: (() => void) | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  examine(): Promise<void> {
    return this.#context.props.module.examine();
  }

  async prepare(): Promise<void> {
    const { module, overrideGlobalObjects } = this.#context.props;
    // These name the web's classes, which take 60 ms to load: who has no such app does not wait for them.
    ({ sendFetchResponse: this.#send } = await import("./fetch-response.ts"));
    if (overrideGlobalObjects) {
      ({ makeLightRequest: this.#makeRequest } = await import("./light-request.ts"));
      const { overrideGlobals } = await import("./web-globals.ts");
      // Before the app is loaded: it may take them into variables.
      this.#restoreGlobals = overrideGlobals();
    } else ({ makeFetchRequest: this.#makeRequest } = await import("./fetch-request.ts"));
    this.#app = await loadApp(module, "a function or an object with a method fetch", findFetch);
  }

  shutdown(): void {
    this.#restoreGlobals?.();
  }

  handle(req: HemiRequest, resp: HemiResponse): boolean | Promise<boolean> {
    if (req.method === "CONNECT") return false;
    const { stripPrefix } = this.#context.props;
    const uri = stripPrefix === undefined ? req.uri : withoutPrefix(stripPrefix, req.uri);
    if (uri === undefined) return false;
    if (isForbiddenMethod(req.method)) {
      answerOtherMethod(req, resp, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
      return true;
    }
    const url = fetchURLOf(req, uri);
    if (req.upgrades.includes("websocket")) return this.#answerUpgrade(req, resp, url);
    const answer: unknown = this.#app(this.#makeRequest(req, url), { hemi: req });
    // An app that answers at once costs no promise, if what it answers with costs none.
    if (isPromiseLike(answer)) return this.#answerLater(req, resp, answer);
    return this.#answer(req, resp, answer);
  }

  async #answerLater(req: HemiRequest, resp: HemiResponse, answer: PromiseLike<unknown>): Promise<boolean> {
    return this.#answer(req, resp, await answer);
  }

  async #answerUpgrade(req: HemiRequest, resp: HemiResponse, url: string): Promise<boolean> {
    const upgrade = new FetchUpgrade(req, resp, this.#context.log);
    const response = await this.#app(this.#makeRequest(req, url), {
      hemi: req,
      acceptWebSocket: upgrade.accept,
    });
    return upgrade.isAccepted || this.#answer(req, resp, response);
  }

  #answer(req: HemiRequest, resp: HemiResponse, response: unknown): boolean | Promise<boolean> {
    if (!isResponse(response)) {
      throw new TypeError(
        `the app gave ${response === null ? "null" : `a value of type ${typeof response}`}, not a Response`,
      );
    }
    const { passHeader } = this.#context.props;
    if (passHeader !== undefined && response.status === 404 && response.headers.has(passHeader)) {
      cancelQuietly(response.body);
      return false;
    }
    const sent = this.#send(req, resp, response);
    return sent === undefined ? true : sent.then(taken);
  }
}

function findFetch(exported: unknown): FetchApp | undefined {
  if (typeof exported === "function") return exported as FetchApp;
  if (!isObject(exported) || typeof exported["fetch"] !== "function") return undefined;
  const app = exported as { fetch: FetchApp };
  // Looked up at each call: an app may put another one there.
  return (request, env) => app.fetch(request, env);
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value["then"] === "function";
}

function taken(): true {
  return true;
}

/** Methods that a Request cannot have (Fetch 2.2.1). */
function isForbiddenMethod(method: string): boolean {
  return /^(?:connect|trace|track)$/i.test(method);
}

/** Not by `instanceof`: some apps bring a Response of their own. */
function isResponse(value: unknown): value is Response {
  return isObject(value) && typeof value["status"] === "number" && isObject(value["headers"]) && "body" in value;
}

function notPrepared(): never {
  throw new Error("the app has not been loaded");
}
