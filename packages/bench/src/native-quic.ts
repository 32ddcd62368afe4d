// The native package of QUIC that @hemi/contrib-quic stands on, for a peer and for loads: what they use of it.

import { createRequire } from "node:module";

interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface NativeConfig {
  setApplicationProtos(protocols: readonly string[]): void;
  setMaxIdleTimeout(ms: number): void;
  setMaxRecvUdpPayloadSize(size: number): void;
  setMaxSendUdpPayloadSize(size: number): void;
  setInitialMaxData(size: number): void;
  setInitialMaxStreamDataBidiLocal(size: number): void;
  setInitialMaxStreamDataBidiRemote(size: number): void;
  setInitialMaxStreamDataUni(size: number): void;
  setInitialMaxStreamsBidi(count: number): void;
  setInitialMaxStreamsUni(count: number): void;
  setDisableActiveMigration(isDisabled: boolean): void;
  enablePacing(isEnabled: boolean): void;
}

export interface NativeConn {
  recv(packet: Uint8Array, info: { readonly from: HostPort; readonly to: HostPort }): number;
  send(into: Uint8Array): readonly [size: number, info: { readonly to: HostPort }] | null;
  streamRecv(streamId: number, into: Uint8Array): readonly [size: number, isEnd: boolean] | null;
  streamSend(streamId: number, bytes: Uint8Array, isEnd: boolean): number | null;
  readable(): Iterable<number>;
  timeout(): number | null;
  onTimeout(): void;
  close(isApp: boolean, code: number, reason: Uint8Array): unknown;
  isEstablished(): boolean;
  isDraining(): boolean;
  isClosed(): boolean;
}

interface NativeQuic {
  readonly Config: {
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
}

/** The library for this platform, as @hemi/contrib-quic has it. */
export function nativeQuic(): NativeQuic {
  const require = createRequire(import.meta.resolve("@hemi/contrib-quic"));
  return require(`@infisical/quic-${process.platform}-${process.arch}`) as NativeQuic;
}
