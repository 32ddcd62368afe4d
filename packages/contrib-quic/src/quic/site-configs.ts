// The settings of the native library for each site: its certificate, what it demands of clients, and the limits of
// QUIC. Made once for a site, which is another object when its files have changed, and again when the key of session
// tickets is replaced: connections keep the settings that they began with.

import { createHmac } from "node:crypto";
import { HemiError, pemOfKey, type ClientTerms, type SecureSite, type TicketKey } from "@hemi/internal";
import type { NativeConfig, NativeQuic } from "./native.ts";
import { maxDatagram } from "./quiche-conn.ts";

/** The limits that the transport is told. Sizes in bytes, times in ms. */
export interface TransportLimits {
  readonly idleTimeout: number;
  readonly maxStreams: number;
  readonly streamWindow: number;
  readonly connWindow: number;
  readonly earlyData: boolean;
  /** Unidirectional streams of WebTransport. */
  readonly moreUniStreams: number;
  /** Datagrams that wait, in each direction; 0: none are taken. */
  readonly maxDatagrams: number;
}

/** What the connections of a site begin with. */
export interface SiteConfig {
  /** The certificate, and the limits. */
  readonly native: NativeConfig;
  /** What a client has to show. */
  readonly terms: ClientTerms;
}

export class SiteConfigs {
  readonly #native: () => NativeQuic;
  readonly #limits: () => TransportLimits;
  readonly #ticketKey: TicketKey;
  #configs = new WeakMap<SecureSite, SiteConfig>();
  /** What the tickets of these configurations are encrypted with. */
  #ticketSecret: Buffer;

  constructor(native: () => NativeQuic, limits: () => TransportLimits, ticketKey: TicketKey) {
    this.#native = native;
    this.#limits = limits;
    this.#ticketKey = ticketKey;
    this.#ticketSecret = ticketKey.bytes;
  }

  /** Limits have changed: connections from here on have the new ones. */
  forget(): void {
    this.#configs = new WeakMap();
  }

  /** Throws HEMI_CERTIFICATE if the library cannot use the certificate. */
  of(site: SecureSite): SiteConfig {
    if (this.#ticketKey.bytes !== this.#ticketSecret) {
      this.#ticketSecret = this.#ticketKey.bytes;
      this.forget();
    }
    const known = this.#configs.get(site);
    if (known !== undefined) return known;
    const made = { native: this.#make(site), terms: site.terms };
    this.#configs.set(site, made);
    return made;
  }

  #make(site: SecureSite): NativeConfig {
    const { certificates, terms, path } = site;
    // One certificate for each connection: that of the type of key that all clients know.
    const [certificate] = certificates;
    if (certificate === undefined) throw new HemiError("HEMI_CERTIFICATE", `${path}: there is no certificate`);
    const authorities = terms.authorities.length === 0 ? null : Buffer.from(terms.authorities.join(""));
    const asksClients = terms.demand !== "none";
    let config: NativeConfig;
    try {
      config = this.#native().Config.withBoringSslCtx(
        asksClients,
        terms.demand === "optional",
        authorities,
        [Buffer.from(pemOfKey(certificate))],
        [Buffer.from(certificate.chain)],
        null,
      );
    } catch (error) {
      throw new HemiError("HEMI_CERTIFICATE", `${path}: QUIC cannot use its certificate: ${String(error)}`);
    }
    this.#setLimits(config);
    config.setTicketKey(ticketKey(this.#ticketSecret, site));
    return config;
  }

  #setLimits(config: NativeConfig): void {
    const { idleTimeout, maxStreams, streamWindow, connWindow, earlyData, moreUniStreams, maxDatagrams } =
      this.#limits();
    config.setApplicationProtos(["h3"]);
    config.setMaxIdleTimeout(Math.min(idleTimeout, maxIdle));
    config.setMaxRecvUdpPayloadSize(maxReceived);
    config.setMaxSendUdpPayloadSize(maxDatagram);
    config.setInitialMaxData(connWindow);
    config.setInitialMaxStreamDataBidiLocal(streamWindow);
    config.setInitialMaxStreamDataBidiRemote(streamWindow);
    config.setInitialMaxStreamDataUni(uniWindow);
    config.setInitialMaxStreamsBidi(maxStreams);
    config.setInitialMaxStreamsUni(maxUniStreams + moreUniStreams);
    config.setMaxConnectionWindow(connWindow);
    config.setMaxStreamWindow(streamWindow);
    config.setDisableActiveMigration(true);
    config.setActiveConnectionIdLimit(2);
    config.enablePacing(false);
    config.grease(true);
    if (maxDatagrams > 0) config.enableDgram(true, maxDatagrams, maxDatagrams);
    if (earlyData) config.enableEarlyData();
  }
}

/** A session of one site may not be resumed at another one that demands other certificates. */
function ticketKey(secret: Buffer, { sessionScope, terms }: SecureSite): Buffer {
  const scope = `${sessionScope}\0${terms.id}`;
  const digest = createHmac("sha512", secret).update(scope).digest();
  return digest.subarray(0, 48);
}

/** In ms. */
const maxIdle = 24 * 60 * 60 * 1000;
/** In bytes: what any network brings. */
const maxReceived = 1500;
/** Of the control streams, in bytes: they are read at once. */
const uniWindow = 64 * 1024;
/** Three of HTTP/3, and some that we do not know. */
const maxUniStreams = 16;
