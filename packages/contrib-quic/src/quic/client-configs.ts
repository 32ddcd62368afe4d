// The settings of the native library for connections to servers: whom we trust, who we are, and the limits of QUIC.

import { getCACertificates, type ConnectionOptions } from "node:tls";
import { HemiError } from "@hemi/internal";
import type { NativeConfig, NativeQuic } from "./native.ts";
import { maxDatagram } from "./quiche-conn.ts";

/** The limits that servers are told. Sizes in bytes, times in ms. */
export interface ClientLimits {
  readonly http3MaxStreams: number;
  readonly http3StreamWindow: number;
  readonly aliveTimeout: number;
  readonly readTimeout: number;
  readonly pingInterval: number;
  readonly pingTimeout: number;
}

/** What is looked at of the options of node:tls. */
export type ClientTls = Pick<ConnectionOptions, "ca" | "cert" | "key" | "rejectUnauthorized" | "servername">;

export class ClientConfigs {
  readonly #native: () => NativeQuic;
  /** By options of TLS, then by limits: those of work, and those of health checks. */
  readonly #configs = new WeakMap<ClientTls, Map<string, NativeConfig>>();

  constructor(native: () => NativeQuic) {
    this.#native = native;
  }

  /** Made again when the limits have changed. Throws HEMI_CERTIFICATE if the library cannot use the certificates. */
  of(tls: ClientTls, limits: ClientLimits): NativeConfig {
    const { http3MaxStreams, http3StreamWindow, aliveTimeout, readTimeout, pingInterval, pingTimeout } = limits;
    // While requests are under way, PINGs keep the connection: the transport has to be the more patient one.
    const idleTimeout = Math.max(aliveTimeout, readTimeout, pingInterval + pingTimeout) + graceOfIdle;
    const key = [http3MaxStreams, http3StreamWindow, idleTimeout].join(" ");
    const configs = this.#configs.get(tls) ?? new Map<string, NativeConfig>();
    this.#configs.set(tls, configs);
    const known = configs.get(key);
    if (known !== undefined) return known;
    const config = this.#make(tls);
    config.setMaxIdleTimeout(idleTimeout);
    config.setInitialMaxStreamDataBidiLocal(http3StreamWindow);
    config.setMaxStreamWindow(http3StreamWindow);
    const connWindow = connWindowOf(limits);
    config.setInitialMaxData(connWindow);
    config.setMaxConnectionWindow(connWindow);
    if (configs.size >= maxLimits) configs.clear();
    configs.set(key, config);
    return config;
  }

  #make({ ca, cert, key, rejectUnauthorized = true }: ClientTls): NativeConfig {
    let config: NativeConfig;
    try {
      config = this.#native().Config.withBoringSslCtx(
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
    config.setApplicationProtos(["h3"]);
    config.setMaxRecvUdpPayloadSize(maxReceived);
    config.setMaxSendUdpPayloadSize(maxDatagram);
    config.setInitialMaxStreamDataUni(uniWindow);
    // Servers open no bidirectional streams (RFC 9114 6.1), three unidirectional ones, and some that we do not know.
    config.setInitialMaxStreamsBidi(0);
    config.setInitialMaxStreamsUni(maxUniStreams);
    config.setDisableActiveMigration(true);
    config.setActiveConnectionIdLimit(2);
    config.enablePacing(false);
    config.grease(true);
    return config;
  }
}

/**
 * How much may come on all streams of a connection that nobody has taken, in bytes. The windows of the streams bound
 * it: that of the connection never stops one stream for another.
 */
export function connWindowOf({
  http3MaxStreams,
  http3StreamWindow,
}: Pick<ClientLimits, "http3MaxStreams" | "http3StreamWindow">): number {
  return Math.min(http3MaxStreams * http3StreamWindow + uniWindow, maxConnWindow);
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
/** How many different limits are kept: they change by reloads alone. */
const maxLimits = 4;
/** In ms. */
const graceOfIdle = 5000;
/** In bytes: what any network brings. */
const maxReceived = 1500;
/** Of the control streams, in bytes: they are read at once. */
const uniWindow = 64 * 1024;
const maxUniStreams = 16;
/** In bytes: what a varint of four bytes holds, and more than any machine has under way. */
const maxConnWindow = 2 ** 30 - 1;
