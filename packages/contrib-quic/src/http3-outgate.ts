// http3Outgate: requests over HTTP/3 to servers that no backend names.

import { Deadlines, type Deadline } from "@hemi/common";
import {
  defineOutgate,
  KeptNodes,
  prop,
  webBackendProps,
  type Context,
  type Part,
  type PropsOf,
  type WebBackend,
} from "@hemi/internal";
import { checkClientTls, clientTlsProps, readClientTls } from "./client-tls-props.ts";
import { http3NodeProps } from "./http3-node-props.ts";
import { Http3NodeExchan, type Http3Source } from "./http3/node-exchan.ts";
import { Http3Pool } from "./http3/node-pool.ts";
import type { ClientTls } from "./quic/client-configs.ts";

const { dialTimeout, writeTimeout, readTimeout, queueTimeout, maxHeadSize, maxFields, maxInterims } = webBackendProps;

const props = {
  /** Maximum number of concurrent requests. One more fails with HEMI_BACKEND_BUSY. */
  maxConns: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /**
   * Maximum number of servers to which connections are kept. Beyond it, the connections of the least recently used one
   * are closed.
   */
  maxKeptAddresses: prop.integer({ default: 200, min: 1, max: 1_000_000, reload: "live" }),
  /** Number of idle connections kept to each server. 0: none. */
  keepConns: prop.integer({ default: 1, max: 100_000 }),
  /** Time limit for a connection, with its handshake. After that, the next address is tried. */
  dialTimeout,
  /** Time limit without progress while a request is sent. */
  writeTimeout,
  /** Time limit for the start of the response after the request is sent, and between two pieces of it. */
  readTimeout,
  /** How long a request waits for a connection that has room for it. */
  queueTimeout,
  /** How long an idle connection is kept. */
  aliveTimeout: prop.duration({ default: "15s", min: "1ms" }),
  /** Maximum size of a response head, and of the trailers of its content, in bytes. */
  maxHeadSize,
  /** Maximum number of fields of a response. */
  maxFields,
  /** Maximum number of interim (1xx) responses before a response. */
  maxInterims,
  ...http3NodeProps,
  ...clientTlsProps,
};

type Http3OutgateSettings = PropsOf<typeof props>;

/**
 * Requests over HTTP/3 to servers that no backend names, for components of programs:
 * `context.stage.outgate(http3Outgate).backend(…)`. Every stage that uses this package has one, whether its
 * configuration mentions it or not.
 */
export const http3Outgate = defineOutgate({
  sign: "http3Outgate",
  props,
  check: (context) => checkClientTls(context),
  create: (context): Http3Outgate => new Http3Outgate(context),
});

/** A server. */
export interface Http3Host {
  /** IP addresses, tried in order. */
  readonly ips: readonly string[];
  readonly port: number;
  /** The server name, and whom its certificate has to be of. Default: the IP address. */
  readonly hostname?: string;
}

/** Requests over HTTP/3 to servers that no backend names. */
export class Http3Outgate implements Part {
  readonly #props: Http3OutgateSettings;
  readonly #deadlines: Deadlines;
  readonly #nodes: KeptNodes<Http3Source>;
  #tls: ClientTls = {};

  constructor({ props, log }: Context<Http3OutgateSettings>) {
    this.#props = props;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    const makeDeadline = (onExpired: () => void): Deadline => this.#deadlines.add(onExpired);
    this.#nodes = new KeptNodes({
      sign: "http3Outgate",
      settings: props,
      makePool: (spec) => new Http3Pool(spec, { settings: props, tls: this.#tls, makeDeadline }),
      newExchan: (...request) => new Http3NodeExchan(...request),
    });
  }

  examine(): void {
    readClientTls(this.#props);
  }

  prepare(): void {
    this.#tls = readClientTls(this.#props);
  }

  /** Closes all connections. */
  shutdown(): void {
    this.#nodes.shutdown();
    this.#deadlines.close();
  }

  /** A backend for one server. */
  backend({ ips, port, hostname = "" }: Http3Host): WebBackend {
    return this.#nodes.backend({ ips, port, hostname });
  }
}
