// What a session sends: frames that its peer takes, over a carrier that may be slower than those who send.

import { RpcError } from "../rpc-error.ts";
import { FrameOutput } from "./frame-output.ts";
import { frameHeadSize } from "./frames.ts";
import type { MessageCompression } from "./message-coding.ts";
import type { FrameSink } from "./outbox.ts";
import { callFrame, initialSettings, isTooMuch, type CallHead, type PeerSettings } from "./payloads.ts";
import type { SessionCarrier } from "./session-carrier.ts";

export class SessionOutput implements FrameSink {
  readonly compression: MessageCompression;
  /** What the peer takes: the initial settings, until it has sent its own. */
  peer: PeerSettings = initialSettings;
  readonly frames: FrameOutput;
  readonly #carrier: SessionCarrier;
  #isStopped = false;

  constructor(carrier: SessionCarrier, compression: MessageCompression) {
    this.compression = compression;
    this.#carrier = carrier;
    this.frames = new FrameOutput(carrier);
  }

  get maxFrameSize(): number {
    return this.peer.maxFrameSize;
  }

  get isBlocked(): boolean {
    return this.#carrier.isBlocked;
  }

  drained(): Promise<void> {
    return this.#carrier.drained();
  }

  write(bytes: Uint8Array): void {
    if (!this.#isStopped) this.frames.frame(bytes);
  }

  /** A frame of metadata, if the peer takes one of this size; false: it does not. */
  writeWhole(bytes: Uint8Array): boolean {
    const fits = bytes.length - frameHeadSize <= this.peer.maxFrameSize;
    if (fits) this.write(bytes);
    return fits;
  }

  /** Frames are sent as they are written, and need not wait for the peer. */
  get isFree(): boolean {
    return !this.#isStopped && !this.#carrier.isBlocked;
  }

  /** Whether messages of this length are compressed for the peer. */
  compresses(length: number): boolean {
    return this.peer.codings !== 0 && length >= this.compression.minSize;
  }

  /** A CALL without a message. Throws RpcError `resource_exhausted` if its metadata is larger than a frame. */
  call(id: number, head: CallHead): void {
    if (!isTooMuch(head) && this.writeWhole(callFrame(id, head))) return;
    throw new RpcError("resource_exhausted", "the metadata of the call is too large for a frame");
  }

  /** Nothing more is sent than what waits. */
  stop(): void {
    this.#isStopped = true;
    this.frames.flush();
  }
}
