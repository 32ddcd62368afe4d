// What a client may do that costs us more than it: streams that end early, frames that bring nothing. Some of it is in
// order; a flood of it is an attack (CVE-2023-44487, CVE-2025-8671, and those of 2019 in HTTP/2).

import { TokenBucket } from "@hemi/internal";
import type { Http3CodecServer } from "./codec-server.ts";
import { errorCode, Http3ConnError } from "./errors.ts";

export class FloodLimits {
  readonly #server: Http3CodecServer;
  // Each is full until something is spent, and is made then.
  #resets: TokenBucket | undefined;
  #idleFrames: TokenBucket | undefined;

  constructor(server: Http3CodecServer) {
    this.#server = server;
  }

  /** A request is served. */
  served(): void {
    this.#idleFrames?.earn(idleFramesOfRequest);
  }

  /** A request was answered. */
  answered(): void {
    this.#resets?.earn(1);
  }

  /** A stream ended early. False: too many did. */
  endedEarly(): boolean {
    this.#resets ??= this.#bucketOf(this.#server.settings.http3MaxResets);
    return this.#resets.spend();
  }

  /** A frame of this size came that brings nothing. Throws H3_EXCESSIVE_LOAD. */
  idleFrame(size: number): void {
    this.#idleFrames ??= this.#bucketOf(this.#server.settings.http3MaxIdleFrames);
    if (!this.#idleFrames.spend(1 + size / contentOfIdleFrame))
      throw new Http3ConnError(errorCode.excessiveLoad, "it floods us with frames that bring nothing");
  }

  #bucketOf(max: number): TokenBucket {
    return new TokenBucket(max, this.#server.settings.http3FloodRecovery, () => this.#server.monotonic());
  }
}

/** Frames that bring nothing which are in order with each request. */
export const idleFramesOfRequest = 4;

/** In bytes: so much of a frame that brings nothing counts as another one. */
export const contentOfIdleFrame = 1024;
