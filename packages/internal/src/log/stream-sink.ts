// Writes log lines to a file or to standard error, from a buffer that never grows past its bound.

import { closeSync, constants, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import sonicBoom from "sonic-boom";
import type { SonicBoom } from "sonic-boom";
import { HemiError } from "../errors/hemi-error.ts";
import type { LogSink } from "./sink.ts";

export interface StreamSinkOptions {
  /** Which log this is, for messages: `error log`. */
  readonly title: string;
  /** A path (created with its folders, appended to), or a descriptor, which is left open: 2 is standard error. */
  readonly destination: string | number;
  /** How many bytes may wait to be written; further lines are dropped. Default: 1 MiB. */
  readonly maxBuffer?: number;
  /** Makes the line that tells of dropped ones, which is written as soon as there is room again; or tells of them elsewhere. */
  readonly noteDropped: (count: number) => string | undefined;
}

/** How long `close` waits for a reader of our pipe that does not read: ms. */
const closeTimeout = 2000;

/**
 * Writes in the background (a stuck reader of standard error must not stop the server). A failed write (a full disk) is
 * told once on standard error and tried again with the next line.
 *
 * @throws HemiError HEMI_FILE if the file cannot be opened: known at boot, not when something has to be logged.
 */
export class StreamSink implements LogSink {
  readonly #stream: SonicBoom;
  readonly #noteDropped: StreamSinkOptions["noteDropped"];
  /** `error log to /var/log/a` */
  readonly #name: string;
  #dropped = 0;
  #fails = false;
  #closed: Promise<void> | undefined;

  constructor(options: StreamSinkOptions) {
    const { title, destination, maxBuffer = 1024 * 1024 } = options;
    this.#noteDropped = options.noteDropped;
    this.#name = `${title} to ${typeof destination === "string" ? destination : `descriptor ${destination}`}`;
    if (typeof destination === "string") probe(title, destination);
    this.#stream = new sonicBoom.SonicBoom({ dest: destination, sync: false, maxLength: maxBuffer, append: true });
    this.#stream.on("drop", () => {
      this.#dropped++;
    });
    this.#stream.on("error", (error: Error) => this.#noteFailure(error));
    this.#stream.on("write", () => void (this.#fails = false));
    this.#stream.on("drain", () => this.#reportDropped());
  }

  write(line: string): void {
    if (this.#closed) return;
    this.#reportDropped();
    this.#tryWrite(line);
  }

  flush(): Promise<void> {
    if (this.#closed) return this.#closed;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    try {
      this.#stream.flush(() => resolve(undefined));
    } catch {
      resolve(undefined);
    }
    return promise;
  }

  flushSync(): void {
    try {
      this.#stream.flushSync();
    } catch {
      // Not open yet, closed, or failing: there is no one left to tell.
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#reportDropped();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#stream.once("close", () => resolve(undefined));
    // After a failure `end` waits for a write that will not come.
    this.#stream.once("error", () => this.#stream.destroy());
    const timer = setTimeout(() => {
      this.#stream.destroy();
      resolve(undefined);
    }, closeTimeout);
    try {
      this.#stream.end();
    } catch {
      resolve(undefined);
    }
    await promise;
    clearTimeout(timer);
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    const note = this.#noteDropped(dropped);
    if (note !== undefined) this.#tryWrite(note);
    // The note itself found no room: all of them are still to be told.
    if (this.#dropped > 0) this.#dropped = dropped;
  }

  #tryWrite(line: string): void {
    try {
      this.#stream.write(line);
    } catch {
      this.#dropped++;
    }
  }

  #noteFailure(error: Error): void {
    if (this.#fails) return;
    this.#fails = true;
    try {
      writeSync(2, `hemi: cannot write the ${this.#name}: ${error.message}\n`);
    } catch {
      // Standard error fails as well.
    }
  }
}

function probe(title: string, file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    // O_NONBLOCK: a FIFO that nobody reads is refused with ENXIO instead of stopping the boot for ever.
    closeSync(
      openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o640),
    );
  } catch (error) {
    throw new HemiError("HEMI_FILE", `the ${title} ${JSON.stringify(file)} cannot be opened: ${reason(error)}`, {
      cause: error,
    });
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
