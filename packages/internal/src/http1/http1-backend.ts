// http1Backend: a group of equal servers that speak HTTP/1.

import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { Backend } from "../backend/backend.ts";
import type { NodeChoice } from "../backend/node-group.ts";
import type { NodeWish } from "../backend/node-wish.ts";
import { ConnPool, type PoolOptions } from "../backend/conn-pool.ts";
import { backendProps, checkNodes, specsOf } from "../backend/props.ts";
import type { AnswerTaker, BackendRequest, TunnelTaker, WebBackend, WebExchange } from "../backend/web-backend.ts";
import type { Context } from "../component/context.ts";
import { defineBackend, type BackendPart } from "../component/kinds/backend.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { HemiError } from "../errors/hemi-error.ts";
import { Http1ClientExchan } from "./client-exchan.ts";
import type { Http1ClientTraits, Http1Pool } from "./client-traits.ts";
import { probeHTTP } from "./probe.ts";
import type { ContentLimits } from "./request-content.ts";

const props = {
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
  /** The host that is asked for it; "": the address of the node. */
  healthHost: prop.string({
    default: "",
    pattern: { expression: /^[\w.:[\]-]*$/, takes: "a hostname, with or without a port" },
    reload: "live",
  }),
  /** Statuses that say that a node is well. Default: those from 200 to 399. */
  healthStatuses: prop.list(prop.integer({ min: 200, max: 599 }), { default: [], reload: "live" }),
  /** Statuses of answers that count against a node as if it had broken off: see `maxFails` and `breakerRatio`. */
  failStatuses: prop.list(prop.integer({ min: 400, max: 599 }), { default: [], reload: "live" }),
  /** With `balancer = "sticky"`: the cookie that ties a client to its node. It lives as long as the browser's session, and tells nothing of addresses. */
  stickyCookie: prop.string({
    default: "hemi-node",
    pattern: { expression: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, takes: "the name of a cookie" },
  }),
  /** Connections to nodes are by TLS. */
  tlsMode: prop.bool({ default: false }),
  /** Whom TLS asks for (SNI), and whose certificate it must be. Default: the host of the node's address. */
  tlsServerName: prop.string({ minLength: 1 }),
  /** Certificates, in PEM, of those who may vouch for nodes, instead of the ones that Node.js knows. */
  tlsCA: prop.path(),
  /** Our own certificate, in PEM, with those between it and its root, for nodes that ask who we are. Needs `tlsKey`. */
  tlsCert: prop.path(),
  /** The private key of `tlsCert`, in PEM, without a passphrase. */
  tlsKey: prop.path(),
  /** False takes any certificate: whoever stands on the way can read and change all. For tests. */
  tlsVerify: prop.bool({ default: true }),
};

type Http1BackendProps = PropsOf<typeof props>;

/** A group of equal servers that speak HTTP/1, for `httpProxy`. */
export const http1Backend = defineBackend({
  sign: "http1Backend",
  props,
  check(context) {
    checkNodes(context);
    const { props } = context;
    if ((props.tlsCert === undefined) !== (props.tlsKey === undefined)) {
      const prop = props.tlsKey === undefined ? "tlsCert" : "tlsKey";
      context.report({ prop, message: "a certificate and its key go together: set .tlsCert and .tlsKey" });
    }
    if (props.tlsMode && props.proxyProtocol !== "off") {
      context.report({
        prop: "proxyProtocol",
        message: "nodes cannot be told by the PROXY protocol before TLS as yet",
      });
    }
    for (const prop of ["tlsServerName", "tlsCA", "tlsCert", "tlsKey", "tlsVerify"] as const) {
      if (!props.tlsMode && context.isSet(prop))
        context.report({ prop, message: "it says something of TLS only", hint: "set .tlsMode = true" });
    }
  },
  create: (context): BackendPart => new Http1Backend(context),
});

class Http1Backend implements BackendPart, WebBackend {
  readonly #context: Context<Http1BackendProps>;
  readonly #backend: Backend<Http1Pool>;
  #tls: ConnectionOptions | undefined;

  constructor(context: Context<Http1BackendProps>) {
    this.#context = context;
    const { props, log, stage } = context;
    this.#backend = new Backend({
      specs: specsOf(props),
      settings: props,
      log,
      fixtures: stage,
      makePool: (spec) => new ConnPool(spec, this.#poolOptions()),
      probeHTTP: probeHTTP({
        path: () => props.healthPath,
        statuses: () => props.healthStatuses,
        host: () => props.healthHost,
        pool: () => this.#poolOptions(),
      }),
    });
  }

  get web(): WebBackend {
    return this;
  }

  get stickyCookie(): string | undefined {
    const { balancer, stickyCookie } = this.#context.props;
    return balancer === "sticky" ? stickyCookie : undefined;
  }

  async prepare(): Promise<void> {
    const { props } = this.#context;
    if (props.tlsMode) this.#tls = tlsOptions(props);
    await this.#backend.prepare();
  }

  start(): void {
    this.#backend.start();
  }

  async shutdown(): Promise<void> {
    for (const { pool } of this.#backend.nodes) pool.destroy();
    await this.#backend.shutdown();
  }

  whyNoRetry(tried: readonly string[]): string | undefined {
    return this.#backend.whyNoRetry(tried);
  }

  explain(wish: NodeWish): NodeChoice {
    return this.#backend.explain(wish);
  }

  exchange(request: BackendRequest, wish: NodeWish, taker: AnswerTaker): WebExchange {
    const exchan = new Http1ClientExchan(request, wish, taker, this.#backend);
    this.#backend.enter(exchan);
    return exchan;
  }

  tunnel(request: BackendRequest, protocol: string, wish: NodeWish, taker: TunnelTaker): WebExchange {
    const exchan = new Http1ClientExchan(request, wish, taker, this.#backend, { protocol, taker });
    this.#backend.enter(exchan);
    return exchan;
  }

  #poolOptions(): PoolOptions<Http1ClientTraits> {
    const { props } = this.#context;
    return {
      settings: props,
      traits: { settings: props, contentLimits: new TrailerLimits(props) },
      tls: this.#tls,
      makeDeadline: this.#backend.makeDeadline,
    };
  }
}

/** The limits of an answer's content, always those of the present props. */
class TrailerLimits implements ContentLimits {
  readonly maxDiscardedContent = 0;
  readonly #props: Pick<Http1BackendProps, "maxHeadSize" | "maxFields">;

  constructor(props: Pick<Http1BackendProps, "maxHeadSize" | "maxFields">) {
    this.#props = props;
  }

  get maxHeadSize(): number {
    return this.#props.maxHeadSize;
  }

  get maxFields(): number {
    return this.#props.maxFields;
  }
}

function tlsOptions(props: Http1BackendProps): ConnectionOptions {
  return {
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: props.tlsVerify,
    ...(props.tlsServerName !== undefined && { servername: props.tlsServerName }),
    ...(props.tlsCA !== undefined && { ca: read(props.tlsCA) }),
    ...(props.tlsCert !== undefined && { cert: read(props.tlsCert) }),
    ...(props.tlsKey !== undefined && { key: read(props.tlsKey) }),
  };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new HemiError("HEMI_FILE", `${file} cannot be read: ${String(cause)}`, { cause });
  }
}
