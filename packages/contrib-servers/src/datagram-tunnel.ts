// A tunnel for UDP on a stream that has left HTTP (RFC 9298): datagrams in capsules, to one address and back.
//
//  client ── capsules ──> datagrams ──> target       a stream that is reset, or has a malformed capsule, is destroyed
//  client <── capsules ── datagrams <── target       a client that reads too slowly loses datagrams

import type { Duplex } from "node:stream";
import { type Deadline, readVarint, type SeatedRoster, varintSize } from "@hemi/common";
import {
  type Association,
  capsule,
  type CapsuleHandler,
  CapsuleReader,
  capsuleType,
  type Endpoint,
  type UdpsOutgate,
} from "@hemi/internal";

/** The name of the protocol, for upgrades (HTTP/1.1) and extended CONNECT (HTTP/2, HTTP/3). */
export const connectUdpProtocol = "connect-udp";

/** How a tunnel for UDP is limited, and where it leads. */
export interface DatagramTunnelOptions {
  readonly outgate: Pick<UdpsOutgate, "associate">;
  /** The IP address of the client. */
  readonly client: string;
  readonly target: Endpoint;
  /** In milliseconds. Without a datagram in either direction for this time, the tunnel is closed. Read at each use. */
  readonly idleTimeout: () => number;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** It is one of these from `start` to its end. Default: nobody needs to know. */
  readonly among?: SeatedRoster<DatagramTunnel>;
}

export class DatagramTunnel implements CapsuleHandler {
  /** Its place in the roster. */
  place = -1;
  readonly #options: DatagramTunnelOptions;
  readonly #capsules = new CapsuleReader(this);
  readonly #idle: Deadline;
  readonly #association: Association | undefined;
  #stream: Duplex | undefined;

  private constructor(options: DatagramTunnelOptions) {
    this.#options = options;
    this.#idle = options.makeDeadline(() => this.close());
    this.#association = options.outgate.associate(options.client, (datagram) => this.#answered(datagram));
  }

  /** Takes what it needs. `undefined`: there are too many tunnels. `start` or `close` follows. */
  static open(options: DatagramTunnelOptions): DatagramTunnel | undefined {
    const tunnel = new DatagramTunnel(options);
    return tunnel.#association === undefined ? undefined : tunnel;
  }

  /** The stream has left HTTP. It is paused, and belongs to the tunnel from now on. */
  start(stream: Duplex): void {
    this.#stream = stream;
    this.#options.among?.add(this);
    this.moved();
    // The error is not needed: "close" follows.
    stream.on("error", () => undefined);
    stream.on("close", () => this.close());
    stream.on("data", (bytes: Buffer) => {
      if (!this.#capsules.push(bytes)) this.close();
    });
    stream.on("end", () => {
      if (this.#capsules.isBetweenCapsules) stream.end();
      else this.close();
    });
    if (stream.destroyed) this.close();
    else stream.resume();
  }

  /** Ends both sides. Calling it twice is harmless. */
  close(): void {
    this.#idle.clear();
    this.#options.among?.delete(this);
    this.#association?.close();
    this.#stream?.destroy();
  }

  /** Something has moved, or `idleTimeout` has changed. */
  moved(): void {
    this.#idle.set(this.#options.idleTimeout());
  }

  /** All other types are skipped. */
  maxCapsuleSize(type: number): number | undefined {
    return type === capsuleType.datagram ? maxPayload + 8 : undefined;
  }

  capsuleReceived(_type: number, value: Buffer): void {
    const contextSize = varintSize(value[0] ?? 0);
    // Other contexts are extensions that nobody has asked for.
    if (readVarint(value, 0) !== 0) return;
    if (value.length - contextSize > maxPayload) return this.close();
    this.moved();
    this.#association?.send(value.subarray(contextSize), this.#options.target);
  }

  #answered(datagram: Buffer): void {
    const stream = this.#stream;
    if (stream === undefined || stream.writableNeedDrain || !stream.writable) return;
    this.moved();
    stream.write(capsule(capsuleType.datagram, udpContext, datagram));
  }
}

/** Of a datagram of UDP, in bytes: a longer one ends the tunnel (RFC 9298 5). */
const maxPayload = 65_527;
/** The id of the context of datagrams of UDP. */
const udpContext = Buffer.of(0);
