// What the frames of a client mean: requests, and how urgent they are.

import type { TlsFacts } from "../net/tls/tls-facts.ts";
import type { TokenBucket } from "./allowance.ts";
import { errorCode, readUint31 } from "./frames.ts";
import { PeerFrames, type FrameTarget } from "./peer-frames.ts";
import { parsePriority, type Priority } from "./priority.ts";
import { RepeatedHeads } from "./repeated-heads.ts";
import { BadRequest, readHttp2RequestHead, type Http2RequestHead } from "./request-head.ts";
import type { Http2Exchan } from "./server-exchan.ts";
import type { Http2CodecServer } from "./codec-server.ts";

/** What a server's connection does when its client's frames ask for it. */
export interface ClientFrameTarget extends FrameTarget<Http2Exchan> {
  /** Of the connection; `undefined` where that is not by TLS. */
  readonly tls: TlsFacts | undefined;
  /** A request has come; no content follows if `isEnded`. */
  requested(id: number, head: Http2RequestHead, isEnded: boolean): void;
  /** A request has come that is not to be served; `isEnded` likewise. */
  refused(id: number, bad: BadRequest, isEnded: boolean): void;
  reprioritized(stream: Http2Exchan): void;
}

export class ClientFrames extends PeerFrames<Http2Exchan> {
  readonly #target: ClientFrameTarget;
  readonly #server: Http2CodecServer;
  readonly #repeatedHeads = new RepeatedHeads<Http2RequestHead>();
  /** Of streams that have not begun yet, by their identifiers. */
  #earlyPriorities: Map<number, Priority> | undefined;

  constructor(target: ClientFrameTarget, server: Http2CodecServer, idleFrames: TokenBucket) {
    super(target, server.settings, idleFrames);
    this.#target = target;
    this.#server = server;
  }

  /** A stream that is new. */
  protected isHead(_stream: Http2Exchan | undefined, id: number): boolean {
    return id > this.lastStreamId;
  }

  protected headCame(bytes: Buffer, start: number, end: number, id: number, isEnd: boolean): void {
    this.lastStreamId = id;
    const { generation } = this.decoder;
    // With content to come, the size that a head announces means something else.
    const repeated = isEnd ? this.#repeatedHeads.find(bytes, start, end, generation) : undefined;
    if (repeated !== undefined) return this.#request(id, repeated, true);
    const block = this.decode(bytes, start, end);
    if (block === undefined) return;
    const { maxTargetSize, rawUTF8InTargets } = this.#server.settings;
    const isTLS = this.#target.tls !== undefined;
    const head = readHttp2RequestHead(block, isEnd, { maxTargetSize, rawUTF8InTargets, isTLS });
    if (head instanceof BadRequest) return this.#target.refused(id, head, isEnd);
    if (isEnd && generation === this.decoder.generation) this.#repeatedHeads.add(bytes, start, end, generation, head);
    this.#request(id, head, isEnd);
  }

  #request(id: number, head: Http2RequestHead, isEnd: boolean): void {
    const priority = this.#earlyPriorities?.get(id);
    this.#earlyPriorities?.delete(id);
    this.#target.requested(id, priority === undefined ? head : { ...head, priority }, isEnd);
  }

  protected priorityUpdated(bytes: Buffer, start: number, end: number): void {
    const prioritized = readUint31(bytes, start);
    if (prioritized === 0)
      return this.#target.fail(errorCode.protocolError, "a PRIORITY_UPDATE frame is for no stream");
    const priority = parsePriority(bytes.toString("latin1", start + 4, end));
    if (prioritized > this.lastStreamId) return this.#keepPriority(prioritized, priority);
    const stream = this.#target.stream(prioritized);
    if (stream === undefined) return;
    stream.priority = priority;
    this.#target.reprioritized(stream);
  }

  /** It may come before its request does (RFC 9218 7.1). No more are kept than there may be streams. */
  #keepPriority(id: number, priority: Priority): void {
    const kept = (this.#earlyPriorities ??= new Map<number, Priority>());
    const { http2MaxStreams } = this.#server.settings;
    // Those of streams that were left out.
    if (kept.size >= http2MaxStreams)
      for (const earlier of kept.keys()) if (earlier <= this.lastStreamId) kept.delete(earlier);
    if (kept.size < http2MaxStreams) kept.set(id, priority);
  }
}
