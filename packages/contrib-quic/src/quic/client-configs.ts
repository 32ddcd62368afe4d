// The settings of the native library for connections to servers: whom we trust, who we are, and the limits of QUIC.

import { getCACertificates, type ConnectionOptions } from "node:tls";
import { HemiError } from "@hemi/internal";
import type { NativeConfig, NativeQuic } from "./native.ts";
import { maxDatagram } from "./quiche-conn.ts";

/** What servers are told of our side. Sizes in bytes, times in ms. */
export interface ClientTransport {
  /** ALPN, in the order of preference. */
  readonly nextProtos: readonly string[];
  /** After so much silence the connection is over. */
  readonly idleTimeout: number;
  /** What may come on a stream that both sides send on, before it is read. */
  readonly streamWindow: number;
  /** What may come on a stream that only the server sends on, before it is read. */
  readonly uniWindow: number;
  /** What may come on all streams together, before it is read. */
  readonly connWindow: number;
  /** Streams of the server at once that both sides send on. */
  readonly maxBidiStreams: number;
  /** Streams of the server at once that only it sends on. */
  readonly maxUniStreams: number;
  /** Datagrams that wait, in each direction; 0: none are taken. */
  readonly maxDatagrams: number;
}

/** What is looked at of the options of node:tls. */
export type ClientTls = Pick<ConnectionOptions, "ca" | "cert" | "key" | "rejectUnauthorized" | "servername">;

export class ClientConfigs {
  readonly #native: () => NativeQuic;
  /** By options of TLS, then by transport: that of work, and that of health checks. */
  readonly #configs = new WeakMap<ClientTls, Map<string, NativeConfig>>();

  constructor(native: () => NativeQuic) {
    this.#native = native;
  }

  /** Made again when the limits have changed. Throws HEMI_CERTIFICATE if the library cannot use the certificates. */
  of(tls: ClientTls, transport: ClientTransport): NativeConfig {
    const key = JSON.stringify(Object.values(transport));
    const configs = this.#configs.get(tls) ?? new Map<string, NativeConfig>();
    this.#configs.set(tls, configs);
    const known = configs.get(key);
    if (known !== undefined) return known;
    const config = this.#make(tls);
    setTransport(config, transport);
    if (configs.size >= maxTransports) configs.clear();
    configs.set(key, config);
    return config;
  }

  /** Throws HEMI_CERTIFICATE if the library cannot use the certificates. */
  tryOut(tls: ClientTls): void {
    this.#make(tls);
  }

  #make({ ca, cert, key, rejectUnauthorized = true }: ClientTls): NativeConfig {
    try {
      return this.#native().Config.withBoringSslCtx(
        rejectUnauthorized,
        false,
        rejectUnauthorized ? (pemOf(ca) ?? Buffer.from(getCACertificates().join("\n"))) : null,
        key === undefined ? null : [pemOf(key) ?? nothing],
        cert === undefined ? null : [pemOf(cert) ?? nothing],
        null,
      );
    } catch (cause) {
      if (cause instanceof HemiError) throw cause;
      throw new HemiError("HEMI_CERTIFICATE", `QUIC cannot use the certificates: ${String(cause)}`, { cause });
    }
  }
}

function setTransport(config: NativeConfig, transport: ClientTransport): void {
  const { nextProtos, idleTimeout, streamWindow, uniWindow, connWindow } = transport;
  const { maxBidiStreams, maxUniStreams, maxDatagrams } = transport;
  config.setApplicationProtos(nextProtos);
  config.setMaxIdleTimeout(idleTimeout);
  config.setMaxRecvUdpPayloadSize(maxReceived);
  config.setMaxSendUdpPayloadSize(maxDatagram);
  config.setInitialMaxData(connWindow);
  config.setMaxConnectionWindow(connWindow);
  config.setInitialMaxStreamDataBidiLocal(streamWindow);
  config.setInitialMaxStreamDataBidiRemote(streamWindow);
  config.setInitialMaxStreamDataUni(uniWindow);
  config.setMaxStreamWindow(streamWindow);
  config.setInitialMaxStreamsBidi(maxBidiStreams);
  config.setInitialMaxStreamsUni(maxUniStreams);
  if (maxDatagrams > 0) config.enableDgram(true, maxDatagrams, maxDatagrams);
  config.setDisableActiveMigration(true);
  config.setActiveConnectionIdLimit(2);
  config.enablePacing(false);
  config.grease(true);
}

function pemOf(value: ConnectionOptions["ca"] | ConnectionOptions["key"]): Buffer | undefined {
  if (value === undefined) return undefined;
  const pieces = Array.isArray(value) ? value : [value];
  return Buffer.concat(
    pieces.map((piece) => {
      if (typeof piece === "string" || piece instanceof Uint8Array) return Buffer.from(piece);
      throw new TypeError("certificates and keys have to be in PEM");
    }),
  );
}

const nothing = Buffer.alloc(0);
/** How many are kept for the same options of TLS: they differ by reloads, and by the protocols that are asked for. */
const maxTransports = 16;
/** In bytes: what any network brings. */
const maxReceived = 1500;
