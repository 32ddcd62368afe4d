// For tests: a client of HTTP/3 over a real socket, at the level of frames.

import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { varint } from "@hemi/common";
import { FrameReader } from "../http3/frame-reader.ts";
import { frame, frameType, streamType } from "../http3/frames.ts";
import { settingsFrame } from "../http3/settings.ts";
import { QpackDecoder } from "../qpack/decoder.ts";
import { QpackEncoder } from "../qpack/encoder.ts";
import { hostPort, nativeQuic, type HostPort } from "../quic/native.ts";
import { QuicheConn } from "../quic/quiche-conn.ts";

/** A response. */
export interface Reply {
  readonly status: string | undefined;
  readonly fields: readonly string[];
  readonly content: Buffer;
  readonly resetBy: number | undefined;
}

export interface QuicClientOptions {
  readonly port: number;
  readonly serverName?: string;
  /** Of an earlier connection: it is resumed if the server still takes it. */
  readonly session?: Uint8Array;
  /** PEM: shown if the server asks. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

interface Stream {
  readonly pieces: Buffer[];
  readonly ended: PromiseWithResolvers<number | undefined>;
}

export class QuicClient {
  readonly conn: QuicheConn;
  readonly established = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<void>();
  readonly socket: Socket;
  /** Datagrams go out by this one. */
  sender: Socket;
  readonly #server: HostPort;
  readonly #streams = new Map<number, Stream>();
  readonly #encoder = new QpackEncoder(() => undefined);
  #turn: NodeJS.Immediate | undefined;

  private constructor(socket: Socket, { port, serverName = "localhost", session, certificate }: QuicClientOptions) {
    const native = nativeQuic();
    this.socket = socket;
    this.sender = socket;
    this.#server = { host: "127.0.0.1", port };
    const config = native.Config.withBoringSslCtx(
      false,
      false,
      null,
      certificate === undefined ? null : [Buffer.from(certificate.key)],
      certificate === undefined ? null : [Buffer.from(certificate.cert)],
      null,
    );
    config.setApplicationProtos(["h3"]);
    config.setMaxIdleTimeout(300_000);
    config.setMaxRecvUdpPayloadSize(1500);
    config.setMaxSendUdpPayloadSize(1350);
    config.setInitialMaxData(10_000_000);
    config.setInitialMaxStreamDataBidiLocal(1_000_000);
    config.setInitialMaxStreamDataBidiRemote(1_000_000);
    config.setInitialMaxStreamDataUni(1_000_000);
    config.setInitialMaxStreamsBidi(100);
    config.setInitialMaxStreamsUni(100);
    const conn = native.Connection.connect(
      serverName === "" ? null : serverName,
      randomBytes(16),
      this.#local,
      this.#server,
      config,
    );
    if (session !== undefined) conn.setSession(session);
    this.conn = new QuicheConn(conn, false, {
      overhead: { max: Infinity, recovery: 1 },
      floodCode: 0,
      send: (datagram, to) => {
        this.sender.send(datagram, to.port, to.host);
        return false;
      },
      isDirty: () => this.#later(),
      established: () => {
        this.#greet();
        this.established.resolve();
        return { advance: () => this.#advance(), closed: () => this.#over() };
      },
      gone: () => this.#over(),
      failed: (_conn, error) => this.established.reject(error),
    });
    socket.on("message", (bytes, from) => this.conn.received(bytes, { from: hostPort(from), to: this.#local }));
    this.#later();
  }

  /** Begins a connection; `established` settles with its handshake. */
  static async begin(options: QuicClientOptions): Promise<QuicClient> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new QuicClient(socket, options);
  }

  /** Once the handshake is complete. */
  static async connect(options: QuicClientOptions): Promise<QuicClient> {
    const client = await QuicClient.begin(options);
    await client.established.promise;
    return client;
  }

  /** Sends a request. */
  send(fields: Readonly<Record<string, string>> = {}, content?: string | Uint8Array): number {
    const id = this.conn.openBidi();
    if (id === undefined) throw new Error("the server allows no more streams");
    const all = { ":method": "GET", ":scheme": "https", ":authority": "localhost", ":path": "/", ...fields };
    const parts = [frame(frameType.headers, this.#encoder.encode(id, Object.entries(all).flat()))];
    if (content !== undefined) parts.push(frame(frameType.data, Buffer.from(content)));
    this.conn.write(id, Buffer.concat(parts), true);
    this.conn.flush();
    return id;
  }

  /** The whole answer to it. */
  async reply(id: number): Promise<Reply> {
    const { pieces, ended } = this.#streamOf(id);
    const resetBy = await ended.promise;
    const decoder = new QpackDecoder({ maxCapacity: 0, send: () => undefined });
    const reader = new FrameReader({ treat: () => "whole" });
    reader.push(Buffer.concat(pieces));
    let fields: readonly string[] = [];
    const content: Buffer[] = [];
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.type === frameType.data) content.push(next.payload);
      else if (next.type === frameType.headers)
        fields = decoder.decode(id, next.payload, { maxHeadSize: 100_000, maxFields: 1000 }).list;
    }
    return { status: fields[1], fields, content: Buffer.concat(content), resetBy };
  }

  ask(fields: Readonly<Record<string, string>> = {}, content?: string | Uint8Array): Promise<Reply> {
    return this.reply(this.send(fields, content));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearImmediate(this.#turn);
    this.conn.close(0x100, "");
    this.conn.endOfTurn();
    this.conn.abandon();
    clearImmediate(this.#turn);
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  get #local(): HostPort {
    return hostPort(this.socket.address());
  }

  #later(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.conn.endOfTurn();
    });
  }

  #greet(): void {
    const id = this.conn.openUni();
    if (id !== undefined) this.conn.write(id, Buffer.concat([varint(streamType.control), settingsFrame([])]), false);
  }

  #advance(): void {
    for (const id of this.conn.readable()) {
      const stream = this.#streamOf(id);
      for (let piece = this.conn.read(id); piece !== undefined; piece = this.conn.read(id)) {
        if ("resetBy" in piece) {
          stream.ended.resolve(piece.resetBy);
          break;
        }
        stream.pieces.push(piece.bytes);
        if (!piece.isEnd) continue;
        stream.ended.resolve(undefined);
        break;
      }
    }
  }

  #streamOf(id: number): Stream {
    const stream = this.#streams.get(id) ?? { pieces: [], ended: Promise.withResolvers<number | undefined>() };
    this.#streams.set(id, stream);
    return stream;
  }

  #over(): void {
    this.closed.resolve();
    for (const { ended } of this.#streams.values()) ended.resolve(-1);
    this.established.reject(new Error("the connection was closed"));
    this.established.promise.catch(() => undefined);
  }
}
