// The props that all backends have, whatever they speak.

import { prop } from "../component/prop.ts";
import { formatAddress, type Address } from "../component/props/addresses.ts";
import type { CheckContext } from "../component/definition.ts";
import { isServiceName } from "../fixtures/host-name.ts";
import { balancerNames } from "./balancers/balancers.ts";
import type { NodeSpec } from "./node.ts";

const node = {
  /**
   * `host:port`, `[v6]:port` or `/path.sock`. A name is looked up and followed: each of its addresses is a node, and they change as DNS
   * does. `_http._tcp.shop.example:0` is a service: its SRV records say hosts, ports, weights and which are backups.
   */
  address: prop.address({ required: true }),
  /** Its share of the work, against that of the others. */
  weight: prop.integer({ default: 1, min: 1, max: 1000 }),
  /** Idle connections to it that are kept for later. Default: `keepConns` of the backend. */
  keepConns: prop.integer({ max: 100_000 }),
  /** Works only when none of those that are no backups can. */
  backup: prop.bool({ default: false }),
};

export const backendProps = {
  /** The servers of this backend: all of them can do the same. */
  nodes: prop.list(prop.record(node), { required: true, min: 1, reload: "live" }),
  /**
   * Who gets the next request: `roundRobin` (in turn), `random`, `leastConn` (the least busy), `p2c` (the less busy of two by chance),
   * `ipHash` (by the client's address), `hash` (by a text that whoever uses the backend gives: `hashOn` of httpProxy), `sticky` (a
   * cookie ties a client to its node). All go by weights.
   */
  balancer: prop.choice(balancerNames, { default: "roundRobin" }),
  /** How long a node that is back after a failure gets less than its share, which grows from a twentieth to all of it. 0: it gets it at once. */
  slowStart: prop.duration({ default: "0s", reload: "live" }),
  /** Requests, or connections where the protocol has no requests, at once for each node. More wait. */
  maxConnsPerNode: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /** So many may wait while all nodes have their fill; one more is refused: 503 on the web. */
  maxQueued: prop.integer({ default: 1000, max: 1_000_000, reload: "live" }),
  /** They wait so long at most; then they are refused: 503 on the web. */
  queueTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** Idle connections to each node that are kept for later. 0: none are. */
  keepConns: prop.integer({ default: 100, max: 100_000, reload: "live" }),
  /**
   * Nodes are told of the client by the PROXY protocol, at the beginning of each connection, which is not kept then: it speaks for one
   * client. The node's own address stands for the one that the client connected to. Checks of health tell of nobody. `v2` where nodes take it.
   */
  proxyProtocol: prop.choice(["off", "v1", "v2"], { default: "off" }),
  /** Until a connection stands, TLS included; then 504 on the web, unless another node is tried. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** Without the node taking anything of what it is sent; then 504 on the web. */
  writeTimeout: prop.duration({ default: "30s", min: "1ms", reload: "live" }),
  /**
   * Until something of the answer comes once the request is sent, and between two pieces of it; then 504 on the web, or the answer is
   * broken off. Below `handleTimeout` of the server, whose 503 would come first.
   */
  readTimeout: prop.duration({ default: "50s", min: "1ms", reload: "live" }),
  /**
   * Whether each node is asked now and then if it is well: `tcp` connects to it; `http` asks for `healthPath`, where the backend speaks
   * HTTP. A node that is not well gets no work until it is again.
   */
  healthCheck: prop.choice(["off", "tcp", "http"], { default: "off" }),
  /** Between two checks of a node, give or take a tenth. */
  healthInterval: prop.duration({ default: "5s", min: "10ms", reload: "live" }),
  /** A check that takes longer has failed. */
  healthTimeout: prop.duration({ default: "2s", min: "1ms", reload: "live" }),
  /** Good checks in a row after which a node that is down is up. */
  healthRise: prop.integer({ default: 2, min: 1, max: 1000, reload: "live" }),
  /** Bad checks in a row after which a node is down. */
  healthFall: prop.integer({ default: 3, min: 1, max: 1000, reload: "live" }),
  /** A node that fails so often in a row rests for `ejectTime`. 0: none ever does. */
  maxFails: prop.integer({ default: 5, max: 1_000_000, reload: "live" }),
  /** The first time; each time that it fails again at once, it rests twice as long, up to `maxEjectTime`. */
  ejectTime: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** The longest that a node rests for at a time. */
  maxEjectTime: prop.duration({ default: "5m", min: "1ms", reload: "live" }),
  /** So many of the nodes, in percent, may rest at a time; one that can be used is left in any case. */
  maxEjected: prop.integer({ default: 50, max: 100, reload: "live" }),
  /** When so many of the last requests have failed, in percent, none is sent for `breakerTime`, then one to see: 503 on the web. 0: never. */
  breakerRatio: prop.integer({ default: 0, max: 100, reload: "live" }),
  /** Among fewer requests than these within `breakerWindow`, no share counts. */
  breakerMinRequests: prop.integer({ default: 20, min: 1, max: 1_000_000, reload: "live" }),
  /** How far back the last requests go. */
  breakerWindow: prop.duration({ default: "10s", min: "100ms", reload: "live" }),
  /** For how long nothing is sent once too much has failed. */
  breakerTime: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** Retries for each hundred requests; ten in 10 seconds there may be in any case. 0: none at all. */
  retryBudget: prop.integer({ default: 20, max: 1000, reload: "live" }),
  /** An idle connection is closed after so long, or sooner if the node says that it will. */
  aliveTimeout: prop.duration({ default: "60s", min: "1ms", reload: "live" }),
};

/** Those that `specsOf` looks at. */
export const nodePropNames: readonly string[] = ["nodes", "keepConns"];

/** What the configuration says of nodes, in the group's words. */
export function specsOf(props: {
  readonly keepConns: number;
  readonly nodes: readonly {
    readonly address: Address;
    readonly weight: number;
    readonly keepConns: number | undefined;
    readonly backup: boolean;
  }[];
}): NodeSpec[] {
  return props.nodes.map(({ address, weight, keepConns, backup }) => ({
    address: "path" in address || address.host !== "" ? address : { ...address, host: "127.0.0.1" },
    hostname: "path" in address ? "" : address.host,
    weight,
    keepConns: keepConns ?? props.keepConns,
    isBackup: backup,
  }));
}

/** Reports what is wrong with the nodes of a backend. */
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
