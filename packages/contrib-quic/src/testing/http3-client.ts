// For tests: a client of HTTP/3 at the level of frames, and the server that it talks to.

import { Deadlines, varint } from "@hemi/common";
import type { DecodedBlock, ExchanWire } from "@hemi/internal";
import type { Http3CodecServer, Http3Settings } from "../http3/codec-server.ts";
import { FrameReader } from "../http3/frame-reader.ts";
import { frame, frameType, streamType } from "../http3/frames.ts";
import { Http3Conn } from "../http3/server-conn.ts";
import { settingsFrame } from "../http3/settings.ts";
import { QpackDecoder } from "../qpack/decoder.ts";
import { QpackEncoder } from "../qpack/encoder.ts";
import { MemoryQuic } from "./memory-quic.ts";

export const settings: Http3Settings = {
  maxHeadSize: 16 * 1024,
  maxFields: 100,
  maxTargetSize: 8 * 1024,
  idleTimeout: 60_000,
  drainIdleTimeout: 250,
  headTimeout: 20_000,
  contentTimeout: 30_000,
  minContentRate: 128,
  contentRateGrace: 5000,
  handleTimeout: 60_000,
  writeTimeout: 60_000,
  lingerTimeout: 2000,
  maxRequestsPerConn: 100_000,
  http3MaxStreams: 128,
  http3StreamWindow: 256 * 1024,
  http3ConnWindow: 1024 * 1024,
  http3MaxResets: 200,
  http3MaxIdleFrames: 2000,
  http3FloodRecovery: 10_000,
  qpackTableSize: 4096,
  qpackBlockedStreams: 16,
  earlyData: false,
  webTransportMaxSessions: 4,
};

/** A response as the client has read it. */
export interface Answer {
  readonly heads: readonly DecodedBlock[];
  readonly status: string | undefined;
  readonly content: string;
  readonly trailers: readonly string[] | undefined;
}

/** The connection of one client with a server of its own. */
export class TestClient {
  readonly quic = new MemoryQuic();
  readonly conn: Http3Conn;
  readonly notes: string[] = [];
  readonly failures: unknown[] = [];
  readonly wires: ExchanWire[] = [];
  closed = 0;
  readonly #encoder = new QpackEncoder(() => undefined);
  readonly #clock = { ms: 1_000_000 };
  readonly #deadlines = new Deadlines({ resolution: 10, now: () => this.#clock.ms });

  /** `serve`: default: 200 with the text `hello`. `isGreeted`: the client has sent its SETTINGS. */
  constructor({
    serve = (wire) => wire.sendWhole({ status: 200, fieldList: [] }, "hello"),
    isGreeted = true,
    ...changed
  }: Partial<Http3Settings> & { serve?: (wire: ExchanWire) => void; isGreeted?: boolean } = {}) {
    const server: Http3CodecServer = {
      settings: { ...settings, ...changed },
      date: "Sun, 29 Nov 2026 12:00:00 GMT",
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      monotonic: () => this.#clock.ms,
      stood: 0,
      serve: (wire) => {
        this.wires.push(wire);
        serve(wire);
      },
      note: (_peer, message) => this.notes.push(message),
      requestRefused: (_peer, _status, reason) => this.notes.push(reason),
      failed: (_peer, error) => this.failures.push(error),
      closed: () => this.closed++,
    };
    this.conn = new Http3Conn(this.quic, { address: "127.0.0.1", port: 1 }, undefined, server);
    this.quic.user = this.conn;
    if (isGreeted) this.sendUni(2, streamType.control, settingsFrame([]));
  }

  /** Begins a unidirectional stream. */
  sendUni(id: number, type: number, bytes: Uint8Array = Buffer.alloc(0)): void {
    this.quic.send(id, Buffer.concat([varint(type), bytes]));
  }

  /** A HEADERS frame of a request. */
  head(fields: Readonly<Record<string, string>> = {}): Buffer {
    const all = { ":method": "GET", ":scheme": "https", ":authority": "a.example", ":path": "/", ...fields };
    return this.headOf(Object.entries(all).flat());
  }

  /** A HEADERS frame of any fields. */
  headOf(list: readonly string[]): Buffer {
    return frame(frameType.headers, this.#encoder.encode(0, list));
  }

  /** Sends a whole request. */
  ask(id: number, fields: Readonly<Record<string, string>> = {}, content?: string): Answer {
    const parts = [this.head(fields)];
    if (content !== undefined) parts.push(frame(frameType.data, Buffer.from(content)));
    this.quic.send(id, Buffer.concat(parts), true);
    return this.answer(id);
  }

  /** What has come on a stream so far. */
  answer(id: number): Answer {
    const decoder = new QpackDecoder({ maxCapacity: 0, send: () => undefined });
    const reader = new FrameReader({ treat: () => "whole" });
    const heads: DecodedBlock[] = [];
    const content: Buffer[] = [];
    reader.push(this.quic.sent(id).bytes);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.type === frameType.data) content.push(next.payload);
      else if (next.type === frameType.headers) heads.push(decoder.decode(id, next.payload, settings));
    }
    const isTrailed = heads.length > 1 && heads.at(-1)?.list[0] !== ":status";
    const final = heads.filter(({ list }) => list[0] === ":status").at(-1);
    return {
      heads,
      status: final?.list[1],
      content: Buffer.concat(content).toString(),
      trailers: isTrailed ? heads.at(-1)?.list : undefined,
    };
  }

  /** Lets time pass. */
  wait(ms: number): void {
    for (const end = this.#clock.ms + ms; this.#clock.ms < end;) {
      this.#clock.ms = Math.min(end, this.#clock.ms + 10);
      this.#deadlines.sweep();
    }
  }

  [Symbol.dispose](): void {
    this.#deadlines.close();
  }
}
