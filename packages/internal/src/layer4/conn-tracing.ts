// The traces of a router's connections, or sessions of datagrams: which are traced, and where their spans go.
//
//   connection ─── case ─── dealet ─┬─ attempt at a node
//                                   └─ attempt at another one

import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import type { Clock } from "../fixtures/clock.ts";
import { Sampler } from "../operator/sampler.ts";
import { spanSink } from "../operator/span-sink.ts";
import { type OpenSpan, Trace, type TraceHost } from "../operator/trace.ts";
import type { Context } from "../stage/context.ts";
import { addonKind } from "../stage/kinds/addon.ts";
import { statusOf, type LoggedConn } from "./conn-log/conn-entry.ts";
import type { ConnEndReason } from "./end-reason.ts";
import { known } from "./facts.ts";

/** Spread this into the props of a router. */
export const connTraceProps = {
  /** The addon that takes the spans of traced connections. Default: none is traced. */
  traceTo: prop.reference(addonKind, { offering: spanSink }),
  /** Of a million connections, so many are traced. Default: 1 %. */
  tracesPerMillion: prop.integer({ default: 10_000, max: 1_000_000, reload: "live" }),
};

export class ConnTracing implements TraceHost {
  readonly #context: Context<PropsOf<typeof connTraceProps>, undefined>;
  readonly #sampler = new Sampler();

  constructor(context: Context<PropsOf<typeof connTraceProps>, undefined>) {
    this.#context = context;
  }

  get sink(): TraceHost["sink"] {
    return this.#context.props.traceTo?.current ?? noSink;
  }

  get clock(): Clock {
    return this.#context.stage.clock;
  }

  nameOf(thrown: unknown): string {
    return thrown instanceof Error ? thrown.name : "Error";
  }

  /** A connection has begun; `undefined` if it is not traced. */
  begin(): Trace | undefined {
    const { traceTo, tracesPerMillion } = this.#context.props;
    if (traceTo === undefined || !this.#sampler.takesNext(tracesPerMillion)) return undefined;
    return new Trace(this, true, undefined);
  }

  /** It is over. */
  ended(conn: LoggedConn, reason: ConnEndReason): void {
    const { trace, transport } = conn;
    if (trace === undefined) return;
    const error = statusOf(reason) >= 500 ? reason : undefined;
    const attributes = {
      "network.transport": transportNames[transport],
      "network.peer.address": conn.peerHost,
      "network.peer.port": conn.peerPort,
      "client.address": conn.srcHost,
      "client.port": conn.srcPort,
      "hemi.component": this.#context.path,
      "hemi.connection.end": reason,
      "hemi.connection.received": conn.bytesReceived,
      "hemi.connection.sent": conn.bytesSent,
      ...named("tls.client.server_name", known(conn.serverName)),
      ...named("network.protocol.name", known(conn.protocol)),
      ...(error !== undefined && { "error.type": error }),
    };
    trace.finish({ name: `${transport} ${this.#context.path}`, kind: "server", error, attributes });
  }
}

/** The attempt at a node is over. `node`: "" if there was none. */
export function endAttempt(trace: Trace | undefined, span: OpenSpan | undefined, node: string, error?: string): void {
  if (span === undefined) return;
  Object.assign(span.attributes, named("server.address", node), named("error.type", error ?? ""));
  trace?.end(span, error);
}

function named(name: string, value: string): Readonly<Record<string, string>> {
  return value === "" ? {} : { [name]: value };
}

const noSink = { takeSpan: () => undefined };

/** By the words of OpenTelemetry. */
const transportNames = { tcp: "tcp", tls: "tcp", uds: "unix", udp: "udp", dtls: "udp", quic: "quic" } as const;
