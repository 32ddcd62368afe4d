// rpcServer: serves RPC services on an address of their own.

import { HemiError } from "../errors/hemi-error.ts";
import type { Context } from "../stage/context.ts";
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
import type { WebappPart, WebappWalk } from "../web/kinds.ts";
import type { Request } from "../web/request/request.ts";
import type { Response } from "../web/response/response.ts";
import { explainable, injectable, type Explainable, type Injectable } from "../web/server-capabilities.ts";
import { examinedDispatcher } from "./examined-dispatcher.ts";
import type { RpcDispatcher } from "./rpc-dispatcher.ts";
import { hrpcCodec, type HrpcAcceptor } from "./hrpc/hrpc-codec.ts";
import { hrpcProps } from "./hrpc/hrpc-props.ts";
import { rpcProps, type RpcSettings } from "./rpc-props.ts";

const props = { ...httpServerProps, ...rpcProps, ...hrpcProps };

type RpcServerSettings = PropsOf<typeof props>;

/**
 * Serves RPC services on an address of their own: by hrpc, and by all protocols that rpcHandlet has, over HTTP/1 and
 * HTTP/2. It is an httpxServer with nothing but procedures. For checkers, limiters or web pages beside them use an
 * rpcHandlet in a rule.
 */
export const rpcServer = defineServer({
  sign: "rpcServer",
  props,
  check(context) {
    checkServerTls(context, []);
    checkTimeouts(context, []);
    claimAddress(context);
  },
  offers: [injectable, explainable, connTaker],
  create: (context): ServerPart & Injectable & Explainable & ConnTaker =>
    new RpcServer(context, new RpcWebapp(context)),
});

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
    this.#webapp.dispatcher?.compose();
    super.compose();
  }

  override update(changed: ReadonlySet<string>): void {
    this.#webapp.dispatcher?.compose();
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

/** The one webapp of the server, and what makes its connections of hrpc. */
class RpcWebapp implements WebappPart, HrpcAcceptor {
  readonly hostnames = ["*"];
  readonly settings = new Map<string, string>();
  readonly path: string;
  dispatcher: RpcDispatcher | undefined;
  /** Set before the first connection is accepted. */
  makeConn: HrpcAcceptor["openHrpc"] | undefined;

  readonly #settings: RpcSettings;

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

  handle(req: Request, resp: Response): boolean {
    // Messages have a limit of their own.
    req.defaultMaxContentSize = Infinity;
    return this.dispatcher?.handle(req, resp) ?? false;
  }

  async explain(req: Request): Promise<WebappWalk> {
    const { explainCall } = await import("./explain-call.ts");
    const { takes, status, text, details } = explainCall(this.#settings, req);
    if (takes === "no") return { rules: [], outcome: { type: "refused", status: 404, text } };
    const told = details === undefined ? text : `${text}; ${details.join("; ")}`;
    return { rules: [], outcome: { type: "answered", by: this.path, ...(status && { status }), text: told } };
  }

  notFound(_req: Request, resp: Response, sendPage: (resp: Response) => void | Promise<void>): void | Promise<void> {
    return sendPage(resp);
  }
}

/** An httpxServer has webapps in its props. The object stays the one that a reload writes to. */
function addWebapp(
  context: Context<RpcServerSettings, undefined>,
  webapp: RpcWebapp,
): asserts context is Context<RpcServerSettings & { readonly webapps: readonly Reference<WebappPart>[] }, undefined> {
  const reference = { name: "", path: webapp.path, sign: "rpcServer", origin: undefined, current: webapp };
  Object.assign(context.props, { webapps: [reference] });
}
