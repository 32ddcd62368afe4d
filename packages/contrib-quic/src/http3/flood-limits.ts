// What a client may do that costs us more than it: streams that end early, frames that bring nothing. Some of it is in
// order; a flood of it is an attack (CVE-2023-44487, CVE-2025-8671, and those of 2019 in HTTP/2).

import { TokenBucket } from "@hemi/internal";
import type { Http3Settings } from "./codec-server.ts";
import { errorCode, Http3ConnError } from "./errors.ts";

export class FloodLimits {
  readonly #resets: TokenBucket;
  readonly #idleFrames: TokenBucket;

  constructor({ http3MaxResets, http3MaxIdleFrames, http3FloodRecovery }: Http3Settings, monotonic: () => number) {
    this.#resets = new TokenBucket(http3MaxResets, http3FloodRecovery, monotonic);
    this.#idleFrames = new TokenBucket(http3MaxIdleFrames, http3FloodRecovery, monotonic);
  }

  /** A request is served. */
  served(): void {
    this.#idleFrames.earn(idleFramesOfRequest);
  }

  /** A request was answered. */
  answered(): void {
    this.#resets.earn(1);
  }

  /** A stream ended early. False: too many did. */
  endedEarly(): boolean {
    return this.#resets.spend();
  }

  /** A frame of this size came that brings nothing. Throws H3_EXCESSIVE_LOAD. */
  idleFrame(size: number): void {
    if (!this.#idleFrames.spend(1 + size / contentOfIdleFrame))
      throw new Http3ConnError(errorCode.excessiveLoad, "it floods us with frames that bring nothing");
  }
}

/** Frames that bring nothing which are in order with each request. */
export const idleFramesOfRequest = 4;

/** In bytes: so much of a frame that brings nothing counts as another one. */
export const contentOfIdleFrame = 1024;
