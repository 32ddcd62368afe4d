// The native library that makes packets: quiche by Cloudflare, as the packages @infisical/quic-* bring it for Node.js,
// one for each platform. What is declared here is what we use of it; nothing else knows it.

import { createRequire } from "node:module";
import { HemiError, type Endpoint } from "@hemi/internal";

/** An address as the library takes it. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where a packet has come from, and to. */
export interface PacketPath {
  readonly from: HostPort;
  readonly to: HostPort;
}

/** Settings of connections, with the certificate. */
export interface NativeConfig {
  setMaxIdleTimeout(ms: number): void;
  setMaxRecvUdpPayloadSize(size: number): void;
  setMaxSendUdpPayloadSize(size: number): void;
  setInitialMaxData(size: number): void;
  setInitialMaxStreamDataBidiLocal(size: number): void;
  setInitialMaxStreamDataBidiRemote(size: number): void;
  setInitialMaxStreamDataUni(size: number): void;
  setInitialMaxStreamsBidi(count: number): void;
  setInitialMaxStreamsUni(count: number): void;
  setMaxConnectionWindow(size: number): void;
  setMaxStreamWindow(size: number): void;
  setDisableActiveMigration(isDisabled: boolean): void;
  setActiveConnectionIdLimit(limit: number): void;
  setApplicationProtos(protocols: readonly string[]): void;
  enablePacing(isEnabled: boolean): void;
  enableEarlyData(): void;
  enableDgram(isEnabled: boolean, maxReceived: number, maxSending: number): void;
  setTicketKey(key: Uint8Array): void;
  grease(isGreased: boolean): void;
}

/** Why a connection ended. */
export interface NativeError {
  readonly isApp: boolean;
  readonly errorCode: number;
  readonly reason: Uint8Array;
}

/** A connection without a socket: packets go in and out as bytes. Methods throw an Error named by quiche. */
export interface NativeConn {
  recv(packet: Uint8Array, path: PacketPath): number;
  send(into: Uint8Array): readonly [size: number, info: { readonly to: HostPort }] | null;
  streamRecv(streamId: number, into: Uint8Array): readonly [size: number, isEnd: boolean] | null;
  streamSend(streamId: number, bytes: Uint8Array, isEnd: boolean): number | null;
  streamShutdown(streamId: number, direction: number, code: number): unknown;
  streamPriority(streamId: number, urgency: number, isIncremental: boolean): void;
  streamCapacity(streamId: number): number;
  streamFinished(streamId: number): boolean;
  /** False also for a stream that is not known. */
  streamReadable(streamId: number): boolean;
  readable(): Iterable<number>;
  /** Whether a stream is readable, or a datagram has come. */
  isReadable(): boolean;
  peerStreamsLeftUni(): number;
  peerStreamsLeftBidi(): number;
  sendAckEliciting(): void;
  dgramRecv(into: Uint8Array): number | null;
  dgramSend(bytes: Uint8Array): unknown;
  dgramMaxWritableLen(): number | null;
  timeout(): number | null;
  onTimeout(): void;
  close(isApp: boolean, code: number, reason: Uint8Array): unknown;
  serverName(): string | null;
  /** The protocol that both sides speak (ALPN). */
  applicationProto(): Uint8Array;
  peerCertChain(): readonly Uint8Array[] | null;
  isEstablished(): boolean;
  isResumed(): boolean;
  /** What resumes the session on another connection, once a ticket has come; `null`: none has. */
  session(): Uint8Array | null;
  setSession(session: Uint8Array): void;
  isInEarlyData(): boolean;
  isDraining(): boolean;
  isClosed(): boolean;
  isTimedOut(): boolean;
  peerError(): NativeError | null;
  localError(): NativeError | null;
}

/** The library. */
export interface NativeQuic {
  readonly Config: {
    /** PEM each. */
    withBoringSslCtx(
      verifiesPeer: boolean,
      acceptsUnverified: boolean,
      authorities: Uint8Array | null,
      keys: readonly Uint8Array[] | null,
      chains: readonly Uint8Array[] | null,
      algorithms: string | null,
    ): NativeConfig;
  };
  readonly Connection: {
    accept(
      scid: Uint8Array,
      originalDcid: Uint8Array | null,
      local: HostPort,
      remote: HostPort,
      config: NativeConfig,
    ): NativeConn;
    connect(
      serverName: string | null,
      scid: Uint8Array,
      local: HostPort,
      remote: HostPort,
      config: NativeConfig,
    ): NativeConn;
  };
  /** Writes a packet of version negotiation; returns its size. */
  negotiateVersion(scid: Uint8Array, dcid: Uint8Array, into: Uint8Array): number;
  /** Writes a Retry packet; returns its size. */
  retry(
    scid: Uint8Array,
    dcid: Uint8Array,
    newScid: Uint8Array,
    token: Uint8Array,
    version: number,
    into: Uint8Array,
  ): number;
}

/** An address as the library takes it. */
export function hostPort({ address, port }: Endpoint): HostPort {
  return { host: address, port };
}

/** The directions of `streamShutdown`. */
export const shutdown = { read: 0, write: 1 } as const;

let loaded: NativeQuic | undefined;

/** The library for this platform. Throws HEMI_MODULE where there is none. */
export function nativeQuic(): NativeQuic {
  return (loaded ??= load(process.platform, process.arch));
}

/** Loads the library for a platform; `require` is that of Node.js. */
export function load(
  platform: string,
  arch: string,
  require: (name: string) => unknown = createRequire(import.meta.url),
): NativeQuic {
  const name = `@infisical/quic-${platform}-${arch}`;
  let module: unknown;
  try {
    module = require(name);
  } catch (error) {
    const message =
      `QUIC needs the native package ${name}, which cannot be loaded: there is one for Linux and macOS on x64 and ` +
      "arm64, and for Windows on x64. If this is one of them, install without --omit=optional";
    throw new HemiError("HEMI_MODULE", message, { cause: error });
  }
  if (!isNativeQuic(module)) throw new HemiError("HEMI_MODULE", `${name} does not export what it has to`);
  return module;
}

function isNativeQuic(module: unknown): module is NativeQuic {
  return (
    typeof module === "object" &&
    module !== null &&
    ["Config", "Connection", "negotiateVersion", "retry"].every((key) => key in module)
  );
}
