// nodeHandlet: serves a classic `(req, res)` app of Node.js, for example of Express, Koa or Fastify.

import {
  type Context,
  defineHandlet,
  type HandletPart,
  HTTPError,
  pathPrefix,
  prop,
  type PropsOf,
  type Request as HemiRequest,
  type Response as HemiResponse,
  withoutPrefix,
} from "@hemi/internal";
import { loadApp } from "./load-app.ts";
import { findNodeApp, findUpgrade, type NodeApp, type NodeUpgradeListener } from "./node-app.ts";
import type { NodeExchan } from "./node-exchan.ts";
import type { NodeUpgrade } from "./node-upgrade.ts";

const props = {
  /**
   * The module whose default export is the app: a function `(req, res)`, or an app of Koa or Fastify. It is loaded once
   * in the life of the process. If it also exports `upgrade(req, socket, head)`, that function receives upgrade
   * requests, like listeners of "upgrade": `handleUpgrade` of `ws` works with it. Without that export, listeners of
   * "upgrade" at the `server` of the app receive them, for example those of `@fastify/websocket`. Tunnels of the app
   * may continue while the server drains, until the deadline.
   */
  module: prop.module({ required: true }),
  /**
   * A prefix that the app is not told of: with "/shop", it is asked for `/a` where the client asks for `/shop/a`. Paths
   * that do not begin with it are left to the next handlet or rule. The app finds the whole in `req.originalUrl`.
   */
  stripPrefix: prop.string({ pattern: pathPrefix }),
  /**
   * Whether the app receives a third argument, `next`, as in Express and Connect. `next()` leaves the request to the
   * next handlet or rule, without the header fields that were set. If the app has read the content, for example with a
   * body parser before all routes, no other handlet can read it: `next()` then gives 404, as at the end of an app, and
   * a log line at the level `debug`. If part of the response was sent, `next()` aborts it. An error passed to `next`
   * gives its `status`, or 500. The default is false, because for some apps a third argument has another meaning.
   */
  passOn: prop.bool({ default: false }),
};

/**
 * Handles all requests with a classic `(req, res)` app of Node.js, for example of Express, Koa or Fastify. It does not
 * handle CONNECT.
 */
export const nodeHandlet = defineHandlet({
  sign: "nodeHandlet",
  props,
  takesAll: ({ props }) => !props.passOn && props.stripPrefix === undefined,
  create: (context): HandletPart => new NodeHandlet(context),
});

class NodeHandlet implements HandletPart {
  /** In bytes. Most apps hold content in memory without a limit of their own. */
  readonly defaultMaxContentSize = 16 * 1024 * 1024;
  readonly #context: Context<PropsOf<typeof props>>;
  #app: NodeApp = notPrepared;
  #Exchan: typeof NodeExchan | undefined;
  #Upgrade: typeof NodeUpgrade | undefined;
  #upgrade: NodeUpgradeListener | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  examine(): Promise<void> {
    return this.#context.props.module.examine();
  }

  async prepare(): Promise<void> {
    const { module } = this.#context.props;
    this.#app = await loadApp(module, "a function (req, res), or an app of Koa or Fastify", findNodeApp);
    // Loads node:http, which takes 60 ms: other configurations need not wait for it.
    ({ NodeExchan: this.#Exchan } = await import("./node-exchan.ts"));
    this.#upgrade = await findUpgrade(module);
    if (this.#upgrade !== undefined) ({ NodeUpgrade: this.#Upgrade } = await import("./node-upgrade.ts"));
  }

  handle(req: HemiRequest, resp: HemiResponse): boolean | Promise<boolean> {
    if (this.#Exchan === undefined) return notPrepared();
    if (req.method === "CONNECT") return false;
    const { stripPrefix } = this.#context.props;
    const uri = stripPrefix === undefined ? req.uri : withoutPrefix(stripPrefix, req.uri);
    if (uri === undefined) return false;
    if (this.#upgrade !== undefined && req.upgrades.length > 0) {
      return this.#handleUpgrade(req, resp, uri, this.#upgrade);
    }
    const exchan = new this.#Exchan(req, resp, uri, this.#context.log);
    if (this.#context.props.passOn) return this.#handleOrPass(exchan);
    try {
      const outcome = this.#app(exchan.request, exchan.response);
      if (!isPromise(outcome)) return true;
      return Promise.resolve(outcome).then(taken, (error: unknown) => failed(exchan, error));
    } catch (error) {
      return failed(exchan, error);
    }
  }

  #handleUpgrade(
    req: HemiRequest,
    resp: HemiResponse,
    uri: string,
    listener: NodeUpgradeListener,
  ): boolean | Promise<boolean> {
    if (this.#Upgrade === undefined) return notPrepared();
    const upgrade = new this.#Upgrade(req, resp, uri, this.#context.log);
    try {
      const outcome = listener(upgrade.request, upgrade.socket, Buffer.alloc(0));
      if (!isPromise(outcome)) return true;
      return Promise.resolve(outcome).then(taken, (error: unknown) => failed(upgrade, error));
    } catch (error) {
      return failed(upgrade, error);
    }
  }

  /** Settles when the app calls `next`, fails, or has answered. */
  #handleOrPass(exchan: NodeExchan): Promise<boolean> {
    return new Promise((resolve, reject) => {
      function fail(error: Error): void {
        exchan.leave();
        reject(error);
      }
      function next(error?: unknown): void {
        // Express has these two for its own routers.
        if (error !== undefined && error !== null && error !== "route" && error !== "router")
          return fail(asError(error));
        if (exchan.hasReadContent) return fail(new HTTPError(404, noContentLeft));
        exchan.leave();
        resolve(false);
      }
      exchan.onClose(() => resolve(true));
      try {
        const outcome = this.#app(exchan.request, exchan.response, next);
        if (isPromise(outcome)) Promise.resolve(outcome).catch((error: unknown) => fail(asError(error)));
      } catch (error) {
        fail(asError(error));
      }
    });
  }
}

function failed(exchan: Pick<NodeExchan, "leave">, error: unknown): never {
  exchan.leave();
  throw error;
}

/** What an app with `next` fails with. Those apps put a status on their errors. */
function asError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(`the app failed with ${String(error)}`);
  const status: unknown = "status" in error ? error.status : "statusCode" in error ? error.statusCode : undefined;
  const isStatus = typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599;
  return isStatus && !(error instanceof HTTPError) ? new HTTPError(status, error.message, { cause: error }) : error;
}

const noContentLeft =
  "the app has read the content and called next(): nobody else can have it. Let it read content in no other routes than those that answer";

function taken(): true {
  return true;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function notPrepared(): never {
  throw new Error("the app has not been loaded");
}
