// fetchHandlet: serves a web-standard app, `fetch(Request) → Response`, such as one of Hono.

import {
  answerOtherMethod,
  type Context,
  defineHandlet,
  type HandletPart,
  prop,
  type PropsOf,
  type Request as HemiRequest,
  type Response as HemiResponse,
} from "@hemi/internal";
import type { makeFetchRequest } from "./fetch-request.ts";
import { sendFetchResponse } from "./fetch-response.ts";
import { isObject, loadApp } from "./load-app.ts";

/** What an app gets beside the Request; in Hono it is `c.env`. */
export interface FetchEnv {
  /** The request as the engine has it: the client's address, locals of handlets before, … */
  readonly hemi: HemiRequest;
}

/** An app, or the method of one. */
export type FetchApp = (request: Request, env: FetchEnv) => Response | Promise<Response>;

const props = {
  /** The app is its default export: a function `fetch(request, env)`, or an object that has it as `fetch`. Loaded once in the life of the process. */
  module: prop.module({ required: true }),
  /**
   * An answer of status 404 that has this header field says "not mine": the request goes on to the next handlet or rule.
   * Only if the app has read none of its content. Default: a 404 of the app is the answer.
   */
  passHeader: prop.string({ reload: "live" }),
};

/** Answers all requests that it is given with what the app makes of them. */
export const fetchHandlet = defineHandlet({
  sign: "fetchHandlet",
  props,
  create: (context): HandletPart => new FetchHandlet(context),
});

class FetchHandlet implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #app: FetchApp = notPrepared;
  #makeRequest: typeof makeFetchRequest = notPrepared;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  async prepare(): Promise<void> {
    this.#app = await loadApp(this.#context.props.module, "a function or an object with a method fetch", findFetch);
    // Names the web's Request, which takes 60 ms to load: who has no such app does not wait for it.
    ({ makeFetchRequest: this.#makeRequest } = await import("./fetch-request.ts"));
  }

  handle(req: HemiRequest, resp: HemiResponse): boolean | Promise<boolean> {
    if (req.method === "CONNECT") return false;
    if (isForbiddenMethod(req.method)) {
      answerOtherMethod(req, resp, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
      return true;
    }
    return this.#answer(req, resp, this.#app(this.#makeRequest(req), { hemi: req }));
  }

  async #answer(req: HemiRequest, resp: HemiResponse, answer: unknown): Promise<boolean> {
    const response = await answer;
    if (!isResponse(response)) {
      throw new TypeError(
        `the app gave ${response === null ? "null" : `a value of type ${typeof response}`}, not a Response`,
      );
    }
    const { passHeader } = this.#context.props;
    if (passHeader !== undefined && response.status === 404 && response.headers.has(passHeader)) {
      response.body?.cancel().catch(noop);
      return false;
    }
    await sendFetchResponse(req, resp, response);
    return true;
  }
}

function findFetch(exported: unknown): FetchApp | undefined {
  if (typeof exported === "function") return exported as FetchApp;
  if (!isObject(exported) || typeof exported["fetch"] !== "function") return undefined;
  const app = exported as { fetch: FetchApp };
  // Looked up at each call: an app may put another one there.
  return (request, env) => app.fetch(request, env);
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

function noop(): void {}
