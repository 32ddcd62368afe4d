// quicOutgate: connections of QUIC to servers that no backend names, for protocols of one's own.

import { Deadlines, Roster } from "@hemi/common";
import {
  BackendFailure,
  defineOutgate,
  formatAddress,
  prop,
  type Context,
  type Part,
  type PropsOf,
} from "@hemi/internal";
import { checkClientTls, clientTlsProps, readClientTls } from "../client-tls-props.ts";
import { ClientConfigs, type ClientTls, type ClientTransport } from "../quic/client-configs.ts";
import { DialledConn } from "../quic/dialled-conn.ts";
import { nativeQuic } from "../quic/native.ts";
import { QuicConnection, type QuicConnectionEvents } from "./quic-connection.ts";

const props = {
  /** Maximum number of concurrent connections. One more is refused. */
  maxConns: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /** Time limit for a connection, with its handshake. After that, the next address is tried. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** A connection on which nothing has come for so long is over. */
  idleTimeout: prop.duration({ default: "30s", min: "1ms", reload: "live" }),
  /** Streams of each kind that a server may have open at once on a connection. */
  maxStreams: prop.integer({ default: 100, min: 1, max: 10_000, reload: "live" }),
  /** What a server may send on a stream before it is read: so much of it is kept in memory at most. */
  streamWindow: prop.size({ default: "256K", min: "16K", max: "16M", reload: "live" }),
  /** What a server may send on all streams of a connection together before it is read. */
  connWindow: prop.size({ default: "1M", min: "64K", max: "64M", reload: "live" }),
  /** Datagrams of a connection that wait, in each direction. More are dropped. */
  maxDatagrams: prop.integer({ default: 256, min: 1, max: 100_000, reload: "live" }),
  /**
   * Maximum number of bytes in datagrams that bring no content of streams and acknowledge nothing, for each connection
   * in `floodRecovery`. More end the connection.
   */
  maxOverhead: prop.size({ default: "16M", min: "256K", reload: "live" }),
  /** The time in which `maxOverhead` is available again after it was used up, at an even rate (a token bucket). */
  floodRecovery: prop.duration({ default: "10s", min: "1ms", reload: "live" }),
  ...clientTlsProps,
};

type QuicOutgateSettings = PropsOf<typeof props>;

/**
 * Connections of QUIC (RFC 9000) to servers that no backend names, for components of programs that speak a protocol of
 * their own: `context.stage.outgate(quicOutgate).dial(…)`. Every stage that uses this package has one, whether its
 * configuration mentions it or not.
 */
export const quicOutgate = defineOutgate({
  sign: "quicOutgate",
  props,
  check: (context) => checkClientTls(context),
  create: (context): QuicOutgate => new QuicOutgate(context),
});

/** A server of QUIC. */
export interface QuicHost {
  /** IP addresses, tried in order. */
  readonly ips: readonly string[];
  readonly port: number;
  /** The server name, and whom its certificate has to be of. Default: the IP address. */
  readonly hostname?: string;
  /** The protocols that are offered (ALPN), in the order of preference. One at least. */
  readonly nextProtos: readonly string[];
}

/** Connects to servers of QUIC that no backend names. */
export class QuicOutgate implements Part {
  readonly #context: Context<QuicOutgateSettings>;
  readonly #deadlines: Deadlines;
  readonly #configs = new ClientConfigs(nativeQuic);
  readonly #conns = new Roster<DialledConn>();
  #tls: ClientTls = {};

  constructor(context: Context<QuicOutgateSettings>) {
    const { log } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
  }

  examine(): void {
    readClientTls(this.#context.props);
  }

  prepare(): void {
    this.#tls = readClientTls(this.#context.props);
  }

  /** Closes all connections. */
  shutdown(): void {
    for (const conn of this.#conns) conn.close(0, "the stage shuts down");
    this.#deadlines.close();
  }

  /**
   * Connects to the first address where the handshake succeeds. Rejects with a BackendFailure, and with HEMI_MODULE on
   * a platform without QUIC.
   */
  async dial(host: QuicHost, events: QuicConnectionEvents): Promise<QuicConnection> {
    let failure = new BackendFailure("HEMI_BACKEND_DIAL", "", "the host has no address");
    for (const ip of host.ips) {
      const { maxConns } = this.#context.props;
      const full = `there are ${maxConns} connections already, which is maxConns of quicOutgate`;
      if (this.#conns.size >= maxConns) throw new BackendFailure("HEMI_BACKEND_BUSY", "", full);
      const result = await this.#dialOne(ip, host, events);
      if (result instanceof QuicConnection) return result;
      failure = result;
    }
    throw failure;
  }

  #dialOne(
    ip: string,
    { port, hostname = ip, nextProtos }: QuicHost,
    events: QuicConnectionEvents,
  ): Promise<QuicConnection | BackendFailure> {
    const { log, props } = this.#context;
    const config = this.#configs.of(this.#tls, transportOf(props, nextProtos, events));
    const { promise, resolve } = Promise.withResolvers<QuicConnection | BackendFailure>();
    const name = formatAddress({ host: ip, port });
    const deadline = this.#deadlines.add(() => {
      resolve(new BackendFailure("HEMI_TIMEOUT", name, `no connection stood after ${props.dialTimeout} ms`));
      dialled.close(0);
    });
    let made: QuicConnection | undefined;
    const failed = (error: unknown): void => log.error(`failed at a connection to ${name}`, { error });
    const dialled = new DialledConn(
      {
        native: nativeQuic(),
        to: { address: ip, port },
        name: hostname,
        isVerified: props.tlsVerify,
        config,
        overhead: { max: props.maxOverhead, recovery: props.floodRecovery },
      },
      {
        established: (quic) => {
          const nextProto = Buffer.from(quic.native.applicationProto()).toString();
          const close = (code: number): void => dialled.close(code);
          made = new QuicConnection(quic, nextProto, events, { close, failed });
          deadline.clear();
          resolve(made);
          return made;
        },
        datagramArrived: () => undefined,
        gone: (reason) => {
          deadline.clear();
          this.#conns.delete(dialled);
          resolve(new BackendFailure("HEMI_BACKEND_DIAL", name, reason ?? "it closed the connection"));
          made?.ended(reason);
        },
        failed,
      },
    );
    this.#conns.add(dialled);
    deadline.set(props.dialTimeout);
    return promise;
  }
}

/** A server may open streams, and send datagrams, only where someone takes them. */
function transportOf(
  settings: QuicOutgateSettings,
  nextProtos: readonly string[],
  events: QuicConnectionEvents,
): ClientTransport {
  const { idleTimeout, streamWindow, connWindow, maxStreams, maxDatagrams } = settings;
  const streams = events.stream === undefined ? 0 : maxStreams;
  return {
    nextProtos,
    idleTimeout,
    streamWindow,
    uniWindow: streamWindow,
    connWindow,
    maxBidiStreams: streams,
    maxUniStreams: streams,
    maxDatagrams: events.datagram === undefined ? 0 : maxDatagrams,
  };
}
