// http1Outgate: connections to web servers that no backend names, for forward proxies.
//
//  exchange ── addresses ──> KeptNodes: a pool for each address ──> Http1NodeExchan
//  dial ────── addresses ──> one after the other ──> socket

import type { Socket } from "node:net";
import { Deadlines, type Deadline } from "@hemi/common";
import { AddressDialler } from "../../backend/address-dialler.ts";
import type { ConnSettings } from "../../backend/node-conn.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import { ConnPool, type PoolOptions } from "../../backend/conn-pool.ts";
import { KeptNodes } from "../../http/kept-nodes.ts";
import type { WebBackend } from "../../http/web-backend.ts";
import { defineOutgate } from "../../stage/kinds/outgate.ts";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { Http1NodeExchan } from "../../http1/node-exchan.ts";
import type { Http1NodeTraits, Http1Pool } from "../../http1/node-traits.ts";

const props = {
  /** Maximum number of concurrent requests and tunnels. One more gets 503. */
  maxConns: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /**
   * Maximum number of addresses (with port) to which connections are kept. Beyond it, the connections of the least
   * recently used address are closed.
   */
  maxKeptAddresses: prop.integer({ default: 200, min: 1, max: 1_000_000, reload: "live" }),
  /** Number of idle connections kept to each address. 0: none. */
  keepConns: prop.integer({ default: 4, max: 100_000 }),
  /** Time limit for a connection. After that, the next address of the name is tried; after the last: 504. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms" }),
  /** Time limit without progress while a request is sent. After that: 504. */
  writeTimeout: prop.duration({ default: "30s", min: "1ms" }),
  /**
   * Time limit for the start of the response after the request is sent, and between two pieces of it. After that: 504,
   * or the response is aborted.
   */
  readTimeout: prop.duration({ default: "50s", min: "1ms" }),
  /** How long an idle connection is kept. It is closed earlier if the server announces a shorter time. */
  aliveTimeout: prop.duration({ default: "15s", min: "1ms" }),
  /** Maximum size of a response head, and of the trailers of its content, in bytes. More: 502. */
  maxHeadSize: prop.size({ default: "32K", min: "1K", max: "1M" }),
  /** Maximum number of fields of a response. More: 502. */
  maxFields: prop.integer({ default: 200, min: 1, max: 10_000 }),
  /** Maximum number of interim (1xx) responses before a response. More: 502. */
  maxInterims: prop.integer({ default: 20, min: 1, max: 10_000 }),
};

/**
 * Connections to web servers that no backend names, for `forwardProxy`. Every stage has one, whether its configuration
 * mentions it or not.
 */
export const http1Outgate = defineOutgate({
  sign: "http1Outgate",
  props,
  create: ({ props, log }) => new Http1Outgate(props, log),
});

/** The props: durations in ms, sizes in bytes. */
export interface Http1OutgateSettings extends Omit<ConnSettings, "proxyProtocol"> {
  readonly maxConns: number;
  readonly maxKeptAddresses: number;
  readonly keepConns: number;
  readonly maxHeadSize: number;
  readonly maxFields: number;
  readonly maxInterims: number;
}

/** Connections to web servers that no backend names, for forward proxies. */
export class Http1Outgate implements Part {
  readonly #deadlines: Deadlines;
  readonly #nodes: KeptNodes<Http1Pool>;
  /** Tunnels, and connections that may become tunnels. */
  readonly #dialler: AddressDialler;

  constructor(settings: Http1OutgateSettings, log: ErrorLog) {
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    const makeDeadline = (onExpired: () => void): Deadline => this.#deadlines.add(onExpired);
    this.#dialler = new AddressDialler({ settings, makeDeadline, whyFull: () => this.#nodes.whyFull() });
    const poolOptions: PoolOptions<Http1NodeTraits> = {
      settings: { ...settings, proxyProtocol: "off" },
      traits: { settings: { ...settings, failStatuses: [] }, contentLimits: { ...settings, maxDiscardedContent: 0 } },
      tls: undefined,
      makeDeadline,
    };
    this.#nodes = new KeptNodes({
      sign: "http1Outgate",
      settings,
      otherConns: () => this.#dialler.size,
      makePool: (spec) => new ConnPool(spec, poolOptions),
      newExchan: (...request) => new Http1NodeExchan(...request),
    });
  }

  /** Closes all connections. */
  shutdown(): void {
    this.#nodes.shutdown();
    this.#dialler.close();
    this.#deadlines.close();
  }

  /** A backend for a port of these addresses, which belong to one host. They are tried in order. */
  backend(ips: readonly string[], port: number): WebBackend {
    return this.#nodes.backend({ ips, port, hostname: "" });
  }

  /** Connects to the first address that accepts. The socket supports half-close. Rejects with a BackendFailure. */
  dial(ips: readonly string[], port: number): Promise<Socket> {
    return this.#dialler.dial(ips, port);
  }
}
