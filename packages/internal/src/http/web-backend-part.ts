// What backends of web servers have in common, whatever their HTTP version: props, TLS, health, and what can be asked
// of the group of nodes.

import type { ConnectionOptions } from "node:tls";
import type { Deadline } from "@hemi/common";
import type { Context } from "../stage/context.ts";
import type { CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { Backend, type BackendSettings, type NodeOwner } from "../backend/backend.ts";
import { BackendPart } from "../backend/backend-part.ts";
import type { NodePool, NodeSpec } from "../backend/node.ts";
import { checkNodeTls, NodeTls, nodeTlsProps, type NodeTlsSettings } from "../backend/node-tls.ts";
import type { Waiter } from "../backend/node-group.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import { probeHTTP } from "./http-probe.ts";
import { backendProps, checkNodes, specsOf } from "../backend/props.ts";
import type {
  ResponseHandler,
  BackendRequest,
  TunnelHandler,
  TunnelRequest,
  TunnelBackend,
  WebExchange,
} from "./web-backend.ts";

/** Spread this into the props of a backend of web servers. */
export const webBackendProps = {
  ...backendProps,
  /** Of an answer's head, and of the trailers of its content, in bytes; more: 502. */
  maxHeadSize: prop.size({ default: "32K", min: "1K", max: "1M", reload: "live" }),
  /** Header fields of an answer; more: 502. */
  maxFields: prop.integer({ default: 200, min: 1, max: 10_000, reload: "live" }),
  /** 1xx answers before an answer; more: 502. */
  maxInterims: prop.integer({ default: 20, min: 1, max: 10_000, reload: "live" }),
  /** With `healthCheck = "http"`: what is asked for. */
  healthPath: prop.string({
    default: "/",
    pattern: { expression: /^\/[\x21-\x22\x24-\x7e]*$/, takes: "a path that begins with /" },
    reload: "live",
  }),
  /** The host that is asked for it; "": the name of the node with its port, or its address. */
  healthHost: prop.string({
    default: "",
    pattern: { expression: /^[\w.:[\]-]*$/, takes: "a hostname, with or without a port" },
    reload: "live",
  }),
  /** Statuses that say that a node is well. Default: those from 200 to 399. */
  healthStatuses: prop.list(prop.integer({ min: 200, max: 599 }), { default: [], reload: "live" }),
  /** Statuses of answers that count against a node as if it had broken off: see `maxFails` and `breakerRatio`. */
  failStatuses: prop.list(prop.integer({ min: 400, max: 599 }), { default: [], reload: "live" }),
  /**
   * With `balancer = "sticky"`: the cookie that ties a client to its node. It lives as long as the browser's session,
   * and tells nothing of addresses.
   */
  stickyCookie: prop.string({
    default: "hemi-node",
    pattern: { expression: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, takes: "the name of a cookie" },
    reload: "live",
  }),
  ...nodeTlsProps,
};

/** The values of these props. */
export type WebBackendProps = PropsOf<typeof webBackendProps>;

/** Reports what is wrong with the nodes and the TLS of a backend. */
export function checkWebBackend(context: CheckContext<WebBackendProps>): void {
  checkNodes(context);
  checkNodeTls(context);
}

/** Reports `proxyProtocol` where a connection is for many clients. `version`: of HTTP, such as `HTTP/2`. */
export function refuseProxyProtocol({ props, report }: CheckContext<WebBackendProps>, version: string): void {
  if (props.proxyProtocol === "off") return;
  report({
    prop: "proxyProtocol",
    message: `a connection over ${version} is for many clients: nodes cannot be told of one by the PROXY protocol`,
    hint: "the fields forwarded and x-forwarded-for tell them: see .forwarded of httpProxy",
  });
}

/** What a pool of connections to a node is made with. */
export interface WebPoolOptions<Settings> {
  /** Looked at whenever they are used: live. */
  readonly settings: Settings;
  /** `undefined`: no TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** Calls back when the deadline that is set has passed. */
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

/** How an HTTP version does it. */
export interface WebProtocol<Pool extends NodePool, Settings> {
  /** What ALPN has to agree on. */
  readonly alpn: string;
  /** The connections to a node. */
  makePool(spec: NodeSpec, options: WebPoolOptions<Settings>): Pool;
  /** With a wish for a tunnel, the taker is that of the wish. */
  newExchan(
    request: BackendRequest,
    wish: SelectionHint,
    taker: ResponseHandler,
    owner: NodeOwner<Pool>,
    tunnel?: TunnelRequest,
  ): WebExchange & Waiter<Pool>;
}

/** A backend of web servers: its nodes, and requests to them by one protocol. */
export class WebBackendPart<Pool extends NodePool, Settings extends WebBackendProps>
  extends BackendPart<Pool, Settings>
  implements TunnelBackend
{
  readonly #protocol: WebProtocol<Pool, Settings>;
  /** Its nodes. */
  protected readonly backend: Backend<Pool>;
  readonly #tls: NodeTls;

  constructor(context: Context<Settings>, protocol: WebProtocol<Pool, Settings>) {
    const { props, log, stage } = context;
    const settings: BackendSettings = props;
    super(props);
    this.#protocol = protocol;
    this.#tls = new NodeTls(props, [protocol.alpn]);
    this.backend = new Backend<Pool>({
      owner: context,
      specs: specsOf(props),
      settings,
      log,
      fixtures: stage,
      makePool: (spec) => this.#makePool(spec, props),
      probes: {
        http: probeHTTP<Pool>(props, {
          makePool: (spec, timeout) =>
            this.#makePool(spec, { ...props, dialTimeout: timeout, readTimeout: timeout, writeTimeout: timeout }),
          newExchan: (request, wish, taker, owner) => protocol.newExchan(request, wish, taker, owner),
        }),
      },
    });
  }

  get stickyCookie(): string | undefined {
    const { balancer, stickyCookie } = this.props;
    return balancer === "sticky" ? stickyCookie : undefined;
  }

  /** Tries the files of TLS. Throws as `nodeTlsOptions` does. */
  examine(): void {
    this.#tls.examine();
  }

  override async prepare(): Promise<void> {
    this.#tls.load();
    await super.prepare();
  }

  /** Reads changed files of TLS. Throws as `nodeTlsOptions` does. */
  revise(next: NodeTlsSettings, changed: ReadonlySet<string>): () => void {
    return this.#tls.revise(next, changed);
  }

  exchange(request: BackendRequest, wish: SelectionHint, taker: ResponseHandler): WebExchange {
    return this.#begin(request, wish, taker);
  }

  tunnel(request: BackendRequest, protocol: string, wish: SelectionHint, taker: TunnelHandler): WebExchange {
    return this.#begin(request, wish, taker, { protocol, taker });
  }

  #begin(request: BackendRequest, wish: SelectionHint, taker: ResponseHandler, tunnel?: TunnelRequest): WebExchange {
    const exchan = this.#protocol.newExchan(request, wish, taker, this.backend, tunnel);
    this.backend.enter(exchan);
    return exchan;
  }

  #makePool(spec: NodeSpec, settings: Settings): Pool {
    return this.#protocol.makePool(spec, { settings, tls: this.#tls.options, makeDeadline: this.backend.makeDeadline });
  }
}
