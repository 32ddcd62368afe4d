// hrpcBackend: a group of equal servers that speak hrpc.

import { protocolName, type OutgoingCall } from "@hemi/common/rpc";
import { Backend } from "../../backend/backend.ts";
import { BackendPart } from "../../backend/backend-part.ts";
import { dialNode } from "../../backend/dial.ts";
import { defineBackend } from "../../backend/kind.ts";
import type { NodeChoice } from "../../backend/node-choice.ts";
import type { NodeSpec } from "../../backend/node.ts";
import { checkNodeTls, NodeTls, nodeTlsProps, type NodeTlsSettings } from "../../backend/node-tls.ts";
import { checkNodes, nodeGroupProps, specsOf } from "../../backend/props.ts";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Context } from "../../stage/context.ts";
import { hedged } from "./hedging.ts";
import { HrpcPool } from "./hrpc-pool.ts";
import { callNode, type CallAttempts } from "./node-call.ts";
import { rpcBackend, type RpcBackend } from "./rpc-backend.ts";
import { sessionCompression } from "./session-compression.ts";

const props = {
  ...nodeGroupProps,
  /**
   * How the next node is chosen: `roundRobin` (in turn), `random`, `leastConn` (the fewest calls), `p2c` (the less busy
   * of two random nodes), `hash` (by `hashOn`). All of them respect weights.
   */
  balancer: prop.choice(["roundRobin", "random", "leastConn", "p2c", "hash"], {
    default: "p2c",
    reload: "live",
  }),
  /** With `balancer = "hash"`: the name of the metadata whose value chooses the node, such as "x-user". */
  hashOn: prop.string({ default: "", reload: "live" }),
  /**
   * Whether each node is checked at intervals. `tcp` connects to the node; `rpc` calls its health service
   * (`grpc.health.v1`). A node that is down gets no calls until it has recovered.
   */
  healthCheck: prop.choice(["off", "tcp", "rpc"], { default: "off", reload: "live" }),
  /** Connections to each node: another one is made when those that there are have all the calls that they can take. */
  maxConns: prop.integer({ default: 4, min: 1, max: 10_000, reload: "live" }),
  /** How long a connection without calls is kept. */
  aliveTimeout: prop.duration({ default: "60s", min: "1ms", reload: "live" }),
  /** Time limit without progress while messages are sent to a node. After that its connection is ended. */
  writeTimeout: prop.duration({ default: "30s", min: "1ms", reload: "live" }),
  /** A node that is silent for so long while calls run is asked for a sign of life. 0: it never is. */
  pingInterval: prop.duration({ default: "20s", reload: "live" }),
  /** If it gives none in this time, its connection and its calls are ended. */
  pingTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** Maximum size of a message of an answer, in bytes, before and after decompression. More: `resource_exhausted`. */
  maxMessageSize: prop.size({ default: "4M", min: 1, max: "1G", reload: "live" }),
  /** Whether messages are compressed for nodes that take it. */
  compress: prop.bool({ default: false, reload: "live" }),
  /** Messages below this size are not compressed, in bytes. */
  minCompressedSize: prop.size({ default: "1K", reload: "live" }),
  /**
   * How long an answer is waited for until the call is made once more, at another node; the first answer counts. For
   * unary calls that are declared idempotent, within `retryBudget`. 0: never.
   */
  hedgeDelay: prop.duration({ default: "0s", reload: "live" }),
  ...nodeTlsProps,
};

type HrpcBackendSettings = PropsOf<typeof props>;

/**
 * A group of equal servers that speak hrpc: `client(stock, { to: props.toBackend.current })`. Calls that have never
 * begun, because a node was not reached or refused them, are made at another node, whatever they do.
 */
export const hrpcBackend = defineBackend({
  sign: "hrpcBackend",
  props,
  check(context) {
    checkNodes(context);
    checkNodeTls(context);
    const { proxyProtocol, balancer, hashOn } = context.props;
    if (proxyProtocol !== "off") {
      const message = "a connection of hrpc is for many clients: nodes cannot be told of one by the PROXY protocol";
      context.report({ prop: "proxyProtocol", message });
    }
    if (balancer === "hash" && hashOn === "") {
      context.report({ prop: "balancer", message: '.balancer = "hash" needs .hashOn, the name of metadata' });
    }
  },
  offers: [rpcBackend],
  create: (context): Part & RpcBackend => new HrpcBackend(context),
});

class HrpcBackend extends BackendPart<HrpcPool, HrpcBackendSettings> implements RpcBackend {
  readonly #log: ErrorLog;
  protected readonly backend: Backend<HrpcPool>;
  readonly #tls: NodeTls;

  constructor(context: Context<HrpcBackendSettings>) {
    const { props, log, stage } = context;
    super(props);
    this.#log = log;
    this.#tls = new NodeTls(props, [protocolName]);
    this.backend = new Backend<HrpcPool>({
      owner: context,
      specs: specsOf(props),
      settings: props,
      log,
      fixtures: stage,
      makePool: (spec) => this.#makePool(spec),
      probes: {
        // Protobuf is loaded by those who need it only.
        rpc: async (spec, timeout, signal) => {
          const { probeHealth } = await import("./health-probe.ts");
          return probeHealth(this.#makePool(spec), timeout, signal);
        },
      },
    });
  }

  examine(): void {
    this.#tls.examine();
  }

  override async prepare(): Promise<void> {
    this.#tls.load();
    await super.prepare();
  }

  revise(next: NodeTlsSettings, changed: ReadonlySet<string>): () => void {
    return this.#tls.revise(next, changed);
  }

  call(call: OutgoingCall): AsyncIterable<unknown> {
    const { hedgeDelay, maxMessageSize, hashOn } = this.props;
    const key = hashOn === "" ? "" : (call.metadata.get(hashOn) ?? "");
    const attempts: CallAttempts = { owner: this.backend, maxMessageSize, key, tried: [] };
    const { kind, idempotency } = call.procedure;
    if (hedgeDelay === 0 || kind !== "unary" || idempotency === "unknown") return callNode(call, attempts);
    return hedged(call, {
      delay: hedgeDelay,
      mayHedge: () => this.backend.whyNoRetry(attempts.tried) === undefined,
      attempt: (own) => callNode(own, attempts),
    });
  }

  override explain(): NodeChoice {
    return super.explain({ key: "", stickTo: "", tried: [] });
  }

  #makePool(spec: NodeSpec): HrpcPool {
    const settings = this.props;
    return new HrpcPool({
      timeouts: {
        get beginTimeout() {
          return settings.dialTimeout;
        },
        get idleTimeout() {
          return settings.aliveTimeout;
        },
        get writeTimeout() {
          return settings.writeTimeout;
        },
        get pingInterval() {
          return settings.pingInterval;
        },
        get pingTimeout() {
          return settings.pingTimeout;
        },
      },
      maxConns: () => settings.maxConns,
      compression: sessionCompression(settings),
      dial: (onread) => dialNode(spec, this.#tls.options, { onread, allowHalfOpen: true }),
      makeDeadline: this.backend.makeDeadline,
      maxMessageSize: () => settings.maxMessageSize,
      failed: (error) => this.#log.error(`failed at a connection to ${spec.hostname}`, { error }),
    });
  }
}
