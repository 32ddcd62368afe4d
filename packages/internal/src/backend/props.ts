// The props of backends: those that all have, whatever their protocol, and those of requests.

import { prop } from "../component/prop.ts";
import { formatAddress, type Address } from "../component/props/addresses.ts";
import type { CheckContext } from "../component/definition.ts";
import { isServiceName } from "../fixtures/host-name.ts";
import type { Backend } from "./backend.ts";
import { balancerNames } from "./balancers/balancers.ts";
import type { NodePool, NodeSpec } from "./node.ts";
import { nodeTlsPropNames } from "./node-tls.ts";

const nodeProps = {
  /**
   * `host:port`, `[v6]:port` or `/path.sock`. A name is resolved and followed: each of its addresses is a node, and the
   * nodes change with DNS. `_http._tcp.shop.example:0` is a service: its SRV records give hosts, ports, weights and
   * backups.
   */
  address: prop.address({ required: true }),
  /** Its share of the work, relative to the other nodes. */
  weight: prop.integer({ default: 1, min: 1, max: 1000 }),
  /** Whether it gets work only if no other node can take it. */
  backup: prop.bool({ default: false }),
};

const keepingNodeProps = {
  ...nodeProps,
  /** Number of idle connections kept to this node. Default: `keepConns` of the backend. */
  keepConns: prop.integer({ max: 100_000 }),
};

/** The props of all backends, also of those whose nodes get datagrams. */
export const nodeChoiceProps = {
  /** The servers of this backend. All of them must be equivalent. */
  nodes: prop.list(prop.record(nodeProps), { required: true, min: 1, reload: "live" }),
  /**
   * How the next node is chosen: `roundRobin` (in turn), `random`, `leastConn` (the least busy node), `p2c` (the less
   * busy of two random nodes), `ipHash` (by the client's address), `hash` (by a text from the component that uses the
   * backend: `hashOn` of httpProxy), `sticky` (a cookie ties a client to its node). All of them respect weights.
   */
  balancer: prop.choice(balancerNames, { default: "roundRobin", reload: "live" }),
  /**
   * How long a node that has recovered gets less than its share, which grows from one twentieth to all of it. 0: it
   * gets the full share at once.
   */
  slowStart: prop.duration({ default: "0s", reload: "live" }),
  /**
   * Maximum number of concurrent requests for each node, or of connections if the protocol has no requests. Further
   * requests wait.
   */
  maxConnsPerNode: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /** Maximum number of requests that wait while all nodes are at their limit. One more is refused: 503 in HTTP. */
  maxQueued: prop.integer({ default: 1000, max: 1_000_000, reload: "live" }),
  /** How long a request waits for a node. After that it is refused: 503 in HTTP. */
  queueTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** Time between two checks of a node, plus or minus 10 %. */
  healthInterval: prop.duration({ default: "5s", min: "10ms", reload: "live" }),
  /** A check that takes longer fails. */
  healthTimeout: prop.duration({ default: "2s", min: "1ms", reload: "live" }),
  /** Number of successive successful checks after which a node that is down is up. */
  healthRise: prop.integer({ default: 2, min: 1, max: 1000, reload: "live" }),
  /** Number of successive failed checks after which a node is down. */
  healthFall: prop.integer({ default: 3, min: 1, max: 1000, reload: "live" }),
  /** Number of successive failures after which a node is ejected for `ejectTime`. 0: nodes are never ejected. */
  maxFails: prop.integer({ default: 5, max: 1_000_000, reload: "live" }),
  /** Duration of the first ejection. It doubles each time that the node fails again at once, up to `maxEjectTime`. */
  ejectTime: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** Maximum duration of an ejection. */
  maxEjectTime: prop.duration({ default: "5m", min: "1ms", reload: "live" }),
  /** Maximum share of ejected nodes, in percent. At least one usable node is never ejected. */
  maxEjected: prop.integer({ default: 50, max: 100, reload: "live" }),
  /**
   * If this share of the last requests has failed, in percent, no request is sent for `breakerTime` (503 in HTTP), then
   * one as a trial. 0: never.
   */
  breakerRatio: prop.integer({ default: 0, max: 100, reload: "live" }),
  /** Minimum number of requests within `breakerWindow` before `breakerRatio` applies. */
  breakerMinRequests: prop.integer({ default: 20, min: 1, max: 1_000_000, reload: "live" }),
  /** Time span in which the last requests are counted. */
  breakerWindow: prop.duration({ default: "10s", min: "100ms", reload: "live" }),
  /** How long no request is sent after too many failures. */
  breakerTime: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** Retries for every hundred requests. Ten retries in 10 seconds are always allowed. 0: no retries at all. */
  retryBudget: prop.integer({ default: 20, max: 1000, reload: "live" }),
};

/** The props of all backends with connections, also of those that keep none and know no requests. */
export const nodeGroupProps = {
  ...nodeChoiceProps,
  /**
   * Sends the client's address to nodes with the PROXY protocol, at the start of each connection. Such a connection
   * serves one client and is not kept. The node's own address takes the place of the address that the client connected
   * to. Health checks send no client address. Use `v2` if the nodes support it.
   */
  proxyProtocol: prop.choice(["off", "v1", "v2"], { default: "off", reload: "live" }),
  /** Time limit for a connection to a node, including TLS. After that: 504 in HTTP, unless another node is tried. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
};

/** The props of backends that send requests over kept connections. */
export const backendProps = {
  ...nodeGroupProps,
  /** The servers of this backend. All of them must be equivalent. */
  nodes: prop.list(prop.record(keepingNodeProps), { required: true, min: 1, reload: "live" }),
  /** Number of idle connections kept to each node. 0: none. */
  keepConns: prop.integer({ default: 100, max: 100_000, reload: "live" }),
  /** Time limit without progress while a request is sent to the node. After that: 504 in HTTP. */
  writeTimeout: prop.duration({ default: "30s", min: "1ms", reload: "live" }),
  /**
   * Time limit for the start of the response after the request is sent, and between two pieces of it. After that: 504
   * in HTTP, or the response is aborted. Keep it below `handleTimeout` of the server, whose 503 would come first.
   */
  readTimeout: prop.duration({ default: "50s", min: "1ms", reload: "live" }),
  /**
   * Whether each node is checked at intervals. `tcp` connects to the node. `http` requests `healthPath`, if the backend
   * speaks HTTP. An unhealthy node gets no work until it has recovered. One worker of the program asks, and tells the
   * others.
   */
  healthCheck: prop.choice(["off", "tcp", "http"], { default: "off", reload: "live" }),
  /** How long an idle connection is kept. It is closed earlier if the node announces a shorter time. */
  aliveTimeout: prop.duration({ default: "60s", min: "1ms", reload: "live" }),
};

/** Those that `specsOf` looks at. */
const nodePropNames: readonly string[] = ["nodes", "keepConns"];

/** Those that a connection follows from its beginning on. */
const connPropNames: readonly string[] = ["proxyProtocol", ...nodeTlsPropNames];

/** What has to be done in a backend after live props have changed. */
export function followChanges(
  backend: Pick<Backend<NodePool>, "specify" | "renew" | "rebalance" | "recheck">,
  changed: ReadonlySet<string>,
  props: NodeSettings,
): void {
  if (changed.has("balancer")) backend.rebalance();
  if (changed.has("healthCheck")) backend.recheck();
  if (nodePropNames.some((name) => changed.has(name))) backend.specify(specsOf(props));
  if (connPropNames.some((name) => changed.has(name))) backend.renew();
}

/** The props that tell the nodes of a backend. */
export interface NodeSettings {
  /** Default: 0. */
  readonly keepConns?: number;
  readonly nodes: readonly {
    readonly address: Address;
    readonly weight: number;
    readonly keepConns?: number | undefined;
    readonly backup: boolean;
  }[];
}

/** Converts the configured nodes to node specs. */
export function specsOf(props: NodeSettings): NodeSpec[] {
  return props.nodes.map(({ address, weight, keepConns, backup }) => ({
    address: "path" in address || address.host !== "" ? address : { ...address, host: "127.0.0.1" },
    hostname: "path" in address ? "" : address.host,
    weight,
    keepConns: keepConns ?? props.keepConns ?? 0,
    isBackup: backup,
  }));
}

/** Reports invalid nodes of a backend. */
export function checkNodes(context: CheckContext<{ readonly nodes: readonly { readonly address: Address }[] }>): void {
  const seen = new Set<string>();
  for (const { address } of context.props.nodes) {
    const text = formatAddress(address);
    const report = (message: string) => context.report({ prop: "nodes", message });
    if (seen.has(text)) report(`the node ${text} stands here twice: give it a weight instead`);
    seen.add(text);
    if ("path" in address) continue;
    const isService = isServiceName(address.host);
    if (isService && address.port !== 0) report(`${text}: the SRV records of a service say its ports; write :0`);
    if (!isService && address.port === 0) report(`${text}: nothing can be reached on port 0`);
  }
}
