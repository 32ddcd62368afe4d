// For tests: a server of HTTP/3 at the level of frames, and the connection of ours that asks it.

import { Deadlines } from "@hemi/common";
import {
  FieldNames,
  ListedFields,
  Node,
  type BackendFailure,
  type BackendRequest,
  type DecodedBlock,
  type Fields,
  type NodeResponseHead,
  type ResponseHandler,
} from "@hemi/internal";
import type { Http3NodeSettings } from "../http3-node-props.ts";
import { FrameReader } from "../http3/frame-reader.ts";
import { frame, frameType, streamType } from "../http3/frames.ts";
import { Http3NodeExchan, type Http3Source } from "../http3/node-exchan.ts";
import { NodeStreams } from "../http3/node-streams.ts";
import { settingsFrame } from "../http3/settings.ts";
import { varint } from "@hemi/common";
import { QpackDecoder } from "../qpack/decoder.ts";
import { QpackEncoder } from "../qpack/encoder.ts";
import { MemoryQuic } from "./memory-quic.ts";

export const nodeSettings: Http3NodeSettings = {
  dialTimeout: 5000,
  writeTimeout: 30_000,
  readTimeout: 50_000,
  aliveTimeout: 60_000,
  queueTimeout: 5000,
  failStatuses: [],
  maxInterims: 20,
  maxHeadSize: 32 * 1024,
  maxFields: 200,
  http3MaxConns: 8,
  http3MaxStreams: 100,
  http3StreamWindow: 256 * 1024,
  pingInterval: 20_000,
  pingTimeout: 5000,
  http3MaxIdleFrames: 10_000,
  http3MaxOverhead: 16 * 1024 * 1024,
  http3FloodRecovery: 10_000,
  qpackTableSize: 4096,
  qpackBlockedStreams: 16,
};

/** What has come of a request that was asked. */
export class Asked implements ResponseHandler {
  exchan!: Http3NodeExchan;
  readonly interims: number[] = [];
  head: NodeResponseHead | undefined;
  /** All of the content, where it came with the head. */
  whole: string | undefined;
  text = "";
  /** How many pieces `text` has come in. */
  pieces = 0;
  trailers: Fields | undefined;
  failure: BackendFailure | undefined;
  /** Whether it takes content. */
  isTaking = true;

  interim(status: number): void {
    this.interims.push(status);
  }

  answered(head: NodeResponseHead, whole: Uint8Array | undefined): void {
    this.head = head;
    this.whole = whole === undefined ? undefined : Buffer.from(whole).toString();
  }

  content(piece: Uint8Array): boolean {
    this.pieces++;
    this.text += Buffer.from(piece).toString();
    return this.isTaking;
  }

  ended(trailers: Fields): void {
    this.trailers = trailers;
  }

  failed(failure: BackendFailure): void {
    this.failure = failure;
  }
}

/** One connection to a server, which the test is. */
export class TestNode {
  readonly quic = new MemoryQuic("client");
  readonly streams: NodeStreams;
  /** Why the connection is about to be over. */
  brokeBy: string | undefined;
  isOpen = false;
  isLeaving = false;
  readonly #encoder = new QpackEncoder(() => undefined);
  readonly #clock = { ms: 1_000_000 };
  readonly #deadlines = new Deadlines({ resolution: 10, now: () => this.#clock.ms });
  readonly #node: Node<Http3Source>;

  /** `isGreeted`: the server has sent its SETTINGS. */
  constructor({ isGreeted = true, ...changed }: Partial<Http3NodeSettings> & { isGreeted?: boolean } = {}) {
    const settings = { ...nodeSettings, ...changed };
    this.streams = new NodeStreams(this.quic, {
      settings,
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      monotonic: () => this.#clock.ms,
      opened: () => (this.isOpen = true),
      changed: () => undefined,
      nodeLeaves: () => (this.isLeaving = true),
      leave: () => (this.isLeaving = true),
      broke: (reason) => (this.brokeBy ??= reason),
    });
    this.quic.user = this.streams;
    const source: Http3Source = {
      settings,
      take: (exchan) => this.streams.begin(exchan),
      forget: () => undefined,
      close: () => undefined,
      destroy: () => undefined,
    };
    const spec = {
      address: { host: "127.0.0.1", port: 443 },
      hostname: "a.example",
      weight: 1,
      keepConns: 0,
      isBackup: false,
    };
    const none = (): number => 0;
    this.#node = new Node<Http3Source>(spec, () => source, none, none);
    if (isGreeted) this.sendUni(3, streamType.control, settingsFrame([]));
  }

  /** Asks for something. `contentSize`: default: none. */
  ask(request: Partial<BackendRequest> = {}): Asked {
    const asked = new Asked();
    const owner = { leave() {}, judge() {}, depart() {}, forget() {} };
    const whole: BackendRequest = {
      method: "GET",
      scheme: "http",
      authority: "a.example",
      target: "/",
      received: new ListedFields([]),
      dropped: new FieldNames(["connection"]),
      added: [],
      contentSize: 0,
      ...request,
    };
    asked.exchan = new Http3NodeExchan(whole, { key: "", stickTo: "", tried: [] }, asked, owner);
    asked.exchan.entered(this.#node);
    return asked;
  }

  /** Begins a unidirectional stream. */
  sendUni(id: number, type: number, bytes: Uint8Array = Buffer.alloc(0)): void {
    this.quic.send(id, Buffer.concat([varint(type), bytes]));
  }

  /** A HEADERS frame. */
  headOf(list: readonly string[]): Buffer {
    return frame(frameType.headers, this.#encoder.encode(0, list));
  }

  /** The head of a response. */
  head(fields: Readonly<Record<string, string>> = {}): Buffer {
    return this.headOf(Object.entries({ ":status": "200", ...fields }).flat());
  }

  data(text: string): Buffer {
    return frame(frameType.data, Buffer.from(text));
  }

  /** The heads and the content that have come of a request. */
  received(id: number): { readonly heads: readonly DecodedBlock[]; readonly content: string } {
    const decoder = new QpackDecoder({ maxCapacity: 0, send: () => undefined });
    const reader = new FrameReader({ treat: () => "whole" });
    const heads: DecodedBlock[] = [];
    let content = "";
    reader.push(this.quic.sent(id).bytes);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.type === frameType.data) content += next.payload.toString();
      else if (next.type === frameType.headers) heads.push(decoder.decode(id, next.payload, nodeSettings));
    }
    return { heads, content };
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
