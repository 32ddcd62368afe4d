// Uploads whose requests were answered with success before they were complete. Resetting their streams would be allowed
// (RFC 9113 8.1), but curl 7.88 then waits for ever: after a 2xx it goes on with its upload. So the client may send the
// rest, as over HTTP/1, and it is dropped. All of it is allowed at once, with the answer, because that curl reads
// nothing more: it gets as far as the window of the connection.
//
//   answered ──> WINDOW_UPDATE for all that is left ──> the client ends or resets the stream itself
//                     └─ lingerTimeout without content, or maxLingerTime in all ──> RST_STREAM(NO_ERROR)

import type { Deadline } from "@hemi/common";

/** What it needs of its connection. */
export interface DiscardedUploadsOptions {
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** In ms. */
  readonly monotonic: () => number;
  /** In ms. Live. */
  readonly limits: { readonly lingerTimeout: number; readonly maxLingerTime: number };
  /** Resets a stream with NO_ERROR. */
  readonly reset: (id: number) => void;
}

interface Upload {
  /** Content has come since it was looked at last. */
  isMoving: boolean;
  /** On the monotonic clock, in ms. */
  readonly endsAt: number;
}

export class DiscardedUploads {
  readonly #options: DiscardedUploadsOptions;
  readonly #deadline: Deadline;
  readonly #uploads = new Map<number, Upload>();

  constructor(options: DiscardedUploadsOptions) {
    this.#options = options;
    this.#deadline = options.makeDeadline(() => this.#look());
  }

  /** How many there are. To their client, their streams are open. */
  get size(): number {
    return this.#uploads.size;
  }

  add(id: number): void {
    const { monotonic, limits } = this.#options;
    this.#uploads.set(id, { isMoving: true, endsAt: monotonic() + limits.maxLingerTime });
    if (this.#uploads.size === 1) this.#deadline.set(limits.lingerTimeout);
  }

  /** More content of a stream has come, and was dropped. False: that is none of these. */
  moved(id: number): boolean {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return false;
    upload.isMoving = true;
    return true;
  }

  /** The client sends nothing more on a stream. False: that is none of these. */
  delete(id: number): boolean {
    const wasThere = this.#uploads.delete(id);
    if (wasThere && this.#uploads.size === 0) this.#deadline.clear();
    return wasThere;
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#uploads.clear();
    this.#deadline.clear();
  }

  #look(): void {
    const { monotonic, limits, reset } = this.#options;
    const now = monotonic();
    for (const [id, upload] of this.#uploads) {
      if (upload.isMoving && now < upload.endsAt) upload.isMoving = false;
      else if (this.#uploads.delete(id)) reset(id);
    }
    if (this.#uploads.size > 0) this.#deadline.set(limits.lingerTimeout);
  }
}
