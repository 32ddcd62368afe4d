// What the frames of a node mean: answers to our requests.

import type { TokenBucket } from "./allowance.ts";
import { readHttp2ResponseHead, type Http2NodeResponseHead } from "./node-response-head.ts";
import type { Http2NodeExchan } from "./node-exchan.ts";
import { errorCode } from "./frames.ts";
import { PeerFrames, type FrameLimits, type FrameTarget } from "./peer-frames.ts";
import { RepeatedHeads } from "./repeated-heads.ts";

/** What a connection to a node does when the node's frames ask for it. */
export interface NodeFrameTarget extends FrameTarget<Http2NodeExchan> {
  /** A head has come, perhaps of a 1xx answer; nothing follows if `isEnd`. */
  answered(exchan: Http2NodeExchan, head: Http2NodeResponseHead, isEnd: boolean): void;
}

export class NodeFrames extends PeerFrames<Http2NodeExchan> {
  readonly #target: NodeFrameTarget;
  readonly #repeatedHeads = new RepeatedHeads<Http2NodeResponseHead>();

  constructor(target: NodeFrameTarget, limits: FrameLimits, idleFrames: TokenBucket) {
    super(target, limits, idleFrames);
    this.#target = target;
  }

  protected isHead(exchan: Http2NodeExchan | undefined): boolean {
    return exchan?.awaitsHead === true;
  }

  protected headCame(bytes: Buffer, start: number, end: number, id: number, isEnd: boolean): void {
    const exchan = this.#target.stream(id);
    if (exchan === undefined) return;
    const { generation } = this.decoder;
    const repeated = this.#repeatedHeads.find(bytes, start, end, generation);
    if (repeated !== undefined) return this.#target.answered(exchan, repeated, isEnd);
    const block = this.decode(bytes, start, end);
    if (block === undefined) return;
    const head = readHttp2ResponseHead(block);
    if (typeof head === "string") return this.#target.failStream(id, errorCode.protocolError, head);
    if (generation === this.decoder.generation) this.#repeatedHeads.add(bytes, start, end, generation, head);
    this.#target.answered(exchan, head, isEnd);
  }

  protected priorityUpdated(): void {
    this.#target.fail(errorCode.protocolError, "PRIORITY_UPDATE came from a server");
  }
}
