// rpcServer: serves RPC services on an address of their own.

import { HemiError } from "../errors/hemi-error.ts";
import type { Context } from "../stage/context.ts";
import { isMadeBy, type CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import type { Reference } from "../component/reference.ts";
import { claimAddress } from "../front/claim-address.ts";
import { connTaker, type ConnTaker } from "../front/conn-taker.ts";
import { checkTimeouts } from "../httpx/check-timeouts.ts";
import { httpCodecs } from "../httpx/http-codecs.ts";
import { httpServerProps } from "../httpx/httpx-props.ts";
import { HttpxServer } from "../httpx/httpx-server.ts";
import { checkServerTls } from "../httpx/server-tls.ts";
import { defineServer, type ServerPart } from "../stage/kinds/server.ts";
import { webapp } from "../web/dispatch/webapp.ts";
import type { WalkOutcome } from "../web/explain/explanation.ts";
import { webappKind, type ExplainScope, type WebappPart, type WebappTls, type WebappWalk } from "../web/kinds.ts";
import type { Request } from "../web/request/request.ts";
import type { Response } from "../web/response/response.ts";
import { explainable, injectable, type Explainable, type Injectable } from "../web/server-capabilities.ts";
import { examinedDispatcher } from "./examined-dispatcher.ts";
import type { RpcDispatcher } from "./rpc-dispatcher.ts";
import { hrpcCodec, type HrpcAcceptor } from "./hrpc/hrpc-codec.ts";
import { hrpcProps } from "./hrpc/hrpc-props.ts";
import { rpcProps } from "./rpc-props.ts";

const props = {
  ...httpServerProps,
  ...rpcProps,
  ...hrpcProps,
  /**
   * The webapp that stands before the procedures, with `*` among its hostnames: each call passes its rules, and is made
   * if none of them takes it. Its checkers, limiters, revisers, sessions, traces, access log and demands for client
   * certificates hold for calls by all protocols. A call of hrpc is to them a POST to the path of the procedure, with
   * its metadata as fields, and the server name of its handshake as host. If a rule answers such a call, it fails with
   * the code of that status, and the fields of the answer are its metadata. Calls in a WebSocket have passed with the
   * request that opened it, whatever their paths and metadata are. Default: none.
   */
  webapp: prop.reference(webappKind, { reload: "live" }),
};

type RpcServerSettings = PropsOf<typeof props>;

/**
 * Serves RPC services on an address of their own: by hrpc, and by all protocols that rpcHandlet has, over HTTP/1 and
 * HTTP/2. It is an httpxServer with nothing but procedures. For checkers and limiters before them, name a `.webapp`
 * that has them in its rules; for web pages beside them, use an rpcHandlet in a rule.
 */
export const rpcServer = defineServer({
  sign: "rpcServer",
  props,
  check(context) {
    const webapps = checkGuard(context);
    checkServerTls(context, webapps);
    checkTimeouts(context, webapps);
    claimAddress(context);
  },
  offers: [injectable, explainable, connTaker],
  create: (context): ServerPart & Injectable & Explainable & ConnTaker =>
    new RpcServer(context, new RpcWebapp(context)),
});

/** Hostnames select nothing here: calls of hrpc have none. */
function checkGuard(context: CheckContext<RpcServerSettings>) {
  const guards = context.references("webapp").filter((referred) => isMadeBy(referred, webapp));
  for (const guard of guards) {
    if (guard.props.hostnames.includes("*")) continue;
    const message = `${context.path} names it for all of its calls, whatever their host`;
    guard.report({ prop: "hostnames", message, hint: 'add "*"' });
  }
  return guards;
}

class RpcServer extends HttpxServer {
  readonly #context: Context<RpcServerSettings, undefined>;
  readonly #webapp: RpcWebapp;

  constructor(context: Context<RpcServerSettings, undefined>, webapp: RpcWebapp) {
    addWebapp(context, webapp);
    super(context, { codecs: [hrpcCodec(webapp), ...httpCodecs] });
    this.#context = context;
    this.#webapp = webapp;
  }

  override async examine(): Promise<void> {
    await super.examine();
    await examinedDispatcher(this.#context);
  }

  override async prepare(): Promise<void> {
    const [dispatcher, { HrpcConn }] = await Promise.all([
      examinedDispatcher(this.#context),
      import("./hrpc/hrpc-conn.ts"),
    ]);
    await dispatcher.prepare();
    this.#webapp.dispatcher = dispatcher;
    const settings = this.#context.props;
    this.#webapp.makeConn = (socket, peer, tls, server) =>
      new HrpcConn({ socket, peer, tls, server, host: dispatcher, settings });
    await super.prepare();
  }

  override compose(): void {
    this.#webapp.compose();
    super.compose();
  }

  override update(changed: ReadonlySet<string>): void {
    this.#webapp.compose();
    super.update(changed);
  }

  override async drain(deadline = Date.now()): Promise<void> {
    await Promise.all([super.drain(), this.#webapp.dispatcher?.drain(deadline)]);
  }

  override async shutdown(): Promise<void> {
    this.#webapp.dispatcher?.shutdown();
    await super.shutdown();
  }
}

/** The one webapp of the server, behind the one of its configuration, and what makes its connections of hrpc. */
class RpcWebapp implements WebappPart, HrpcAcceptor {
  readonly hostnames = ["*"];
  readonly path: string;
  dispatcher: RpcDispatcher | undefined;
  /** Set before the first connection is accepted. */
  makeConn: HrpcAcceptor["openHrpc"] | undefined;

  readonly #settings: RpcServerSettings;

  constructor({ path, props }: Context<RpcServerSettings>) {
    this.path = path;
    this.#settings = props;
  }

  openHrpc(...accepted: Parameters<HrpcAcceptor["openHrpc"]>): ReturnType<HrpcAcceptor["openHrpc"]> {
    if (this.makeConn === undefined) throw new HemiError("HEMI_STAGE_STATE", `${this.path} is not prepared`);
    return this.makeConn(...accepted);
  }

  get webapp(): WebappPart {
    return this;
  }

  /** What stands before the procedures. */
  get #guard(): WebappPart | undefined {
    return this.#settings.webapp?.current;
  }

  get settings(): ReadonlyMap<string, string> {
    return this.#guard?.settings ?? noSettings;
  }

  get tls(): WebappTls | undefined {
    return this.#guard?.tls;
  }

  compose(): void {
    if (this.dispatcher === undefined) return;
    this.dispatcher.isGuarded = this.#guard !== undefined;
    this.dispatcher.compose();
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const taken = this.#guard?.handle(req, resp) ?? false;
    if (taken === false) return this.#call(req, resp);
    return taken === true || taken.then((taken) => taken || this.#call(req, resp));
  }

  #call(req: Request, resp: Response): boolean {
    // Messages have a limit of their own.
    req.defaultMaxContentSize = Infinity;
    return this.dispatcher?.handleGuarded(req, resp) ?? false;
  }

  async explain(req: Request, scope: ExplainScope): Promise<WebappWalk> {
    const outcome = await this.#explainCall(req);
    const walk = await this.#guard?.explain?.(req, scope);
    if (walk === undefined) return { rules: [], outcome };
    const { rules } = walk;
    if (walk.outcome.type === "refused") return { rules, outcome };
    return walk.outcome.type === "open" ? { rules, outcome: { ...walk.outcome, otherwise: outcome } } : walk;
  }

  async #explainCall(req: Request): Promise<WalkOutcome> {
    const { explainCall } = await import("./explain-call.ts");
    const { takes, status, text, details } = explainCall(this.#settings, req);
    if (takes === "no") return { type: "refused", status: 404, text };
    const told = details === undefined ? text : `${text}; ${details.join("; ")}`;
    return { type: "answered", by: this.path, ...(status && { status }), text: told };
  }

  notFound(req: Request, resp: Response, sendPage: (resp: Response) => void | Promise<void>): void | Promise<void> {
    return this.#guard === undefined ? sendPage(resp) : this.#guard.notFound(req, resp, sendPage);
  }
}

const noSettings: ReadonlyMap<string, string> = new Map();

/** An httpxServer has webapps in its props. The object stays the one that a reload writes to. */
function addWebapp(
  context: Context<RpcServerSettings, undefined>,
  webapp: RpcWebapp,
): asserts context is Context<RpcServerSettings & { readonly webapps: readonly Reference<WebappPart>[] }, undefined> {
  const reference = { name: "", path: webapp.path, sign: "rpcServer", origin: undefined, current: webapp };
  Object.assign(context.props, { webapps: [reference] });
}
