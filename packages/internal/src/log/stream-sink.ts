// Writes log lines to a file or descriptor in the background, from a buffer of limited size.
//
//  write() ──> gathered (whole lines) ──> batch ──> file
//                 │ full                    │ write fails: kept, and retried
//                 v                         v
//              dropped, counted, reported   reported once

import { setTimeout as wait } from "node:timers/promises";
import type { Destination } from "./destination.ts";
import { flushAtExit, letGo } from "./last-words.ts";
import { LineGatherer } from "./line-gatherer.ts";
import type { LineFormat } from "./lines/line-writer.ts";
import type { LogSink } from "./sink.ts";

export interface StreamSinkOptions {
  readonly destination: Destination;
  /** The limit of waiting data in bytes. Further lines are dropped. Default: 1 MiB. */
  readonly maxBuffer?: number | undefined;
  /**
   * How long lines are collected, in milliseconds, unless enough for a write have collected. Default: 0: each line is
   * written as soon as possible.
   */
  readonly gatherTime?: number | undefined;
  /** How lost lines are reported, at most once a second. */
  readonly noteLost: LostNote;
  /** Called once when writes begin to fail, and again only after a success. */
  readonly noteFailure: (error: unknown) => void;
}

/** In this sink, by a line after the waiting ones; or elsewhere, even if this sink cannot write. */
export type LostNote = { readonly line: (count: number) => string } | { readonly elsewhere: (count: number) => void };

/**
 * A blocked reader of standard error or a slow disk must neither block the server nor fill its memory. Each write
 * consists of whole lines, so that other writers to the file cannot split a line, and a rotated file contains whole
 * lines.
 */
export class StreamSink implements LogSink {
  readonly #options: StreamSinkOptions;
  #maxBuffer = 1024 * 1024;
  readonly #gatherTime: number;
  /** The number of bytes that triggers an early write. */
  #worthAWrite = largestBatch;
  /** Lines that are in no batch yet. */
  #gathered = new LineGatherer();
  /** The other gatherer. The two are used in turn, so that a continuous log allocates no memory. */
  #written = new LineGatherer();
  #batch: Buffer = nothing;
  /** The number of written bytes of the batch. */
  #at = 0;
  /** The number of bytes that are written or passed to the system. */
  #handedOver = 0;
  /** Settles when everything is written or writing fails; `undefined` while nothing is being written. */
  #run: Promise<void> | undefined;
  /** Runs until the next write or retry. */
  #timer: NodeJS.Timeout | undefined;
  #lost = 0;
  #toldLostAt = -Infinity;
  /** Runs until lost lines are reported elsewhere. */
  #lostTimer: NodeJS.Timeout | undefined;
  /** Writes fail; or reopening fails, while writes still succeed. */
  #fails = { write: false, renew: false };
  #closed: Promise<void> | undefined;
  #isOver = false;

  constructor(options: StreamSinkOptions) {
    this.#options = options;
    this.#gatherTime = options.gatherTime ?? 0;
    this.limit(options.maxBuffer);
    flushAtExit(this);
  }

  /** From now on, this is the limit of waiting data in bytes. Default: 1 MiB. */
  limit(maxBuffer = 1024 * 1024): void {
    this.#maxBuffer = maxBuffer;
    // There must be room for lines that arrive during the write.
    this.#worthAWrite = Math.min(largestBatch, maxBuffer / 4);
  }

  write(line: string): void {
    if (this.#closed !== undefined) return;
    this.#gathered.addText(line);
    this.#lineAdded();
  }

  /** Takes the line of an entry. If its format throws, so does this, and nothing of the line is written. */
  writeEntry<Entry>(format: LineFormat<Entry>, entry: Entry): void {
    if (this.#closed !== undefined) return;
    try {
      format(entry, this.#gathered);
    } catch (error) {
      this.#gathered.dropLine();
      throw error;
    }
    this.#lineAdded();
  }

  #lineAdded(): void {
    const gathered = this.#gathered;
    if (gathered.sizeWithLine + this.#batch.length - this.#at > this.#maxBuffer) {
      gathered.dropLine();
      this.#lost++;
      if ("elsewhere" in this.#options.noteLost) this.#lostTimer ??= setTimeout(this.#tellLost, tellEvery).unref();
      return;
    }
    gathered.endLine();
    if (this.#run !== undefined) return;
    if (this.#fails.write) this.#timer ??= this.#later(retryTime);
    else if (this.#gatherTime === 0 || gathered.size >= this.#worthAWrite) this.#begin();
    else this.#timer ??= this.#later(this.#gatherTime);
  }

  async flush(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    // Keeps the process alive, because a caller waits for the end of the write.
    const hold = setInterval(() => {}, longTime);
    await this.#writeAll().finally(() => clearInterval(hold));
  }

  flushSync(until = performance.now() + patience): void {
    if (this.#isOver) return;
    const bytes = Buffer.concat([this.#batch.subarray(this.#handedOver), this.#gathered.bytes]);
    this.#gathered.clear();
    if (this.#handedOver > this.#at) this.#batch = this.#batch.subarray(0, this.#handedOver);
    else this.#endBatch();
    this.#lost += linesIn(bytes.subarray(writeUntil(until, this.#options.destination, bytes)));
    this.#tellLost();
  }

  /** Reopens the destination by its name at once, because the current file may have been moved. */
  reopen(): void {
    if (this.#closed !== undefined) return;
    this.#options.destination.reopen();
    this.#begin();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#tellLost();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, closeTimeout);
    await Promise.race([this.#writeAll(), late]);
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.#isOver = true;
    letGo(this);
    this.#lost += linesIn(this.#batch.subarray(this.#at)) + linesIn(this.#gathered.bytes);
    this.#tellLost();
    await this.#options.destination.close().catch(() => {});
  }

  async #writeAll(): Promise<void> {
    // A write that started before this call may end before the newer lines are written.
    await this.#run;
    this.#begin();
    await this.#run;
  }

  #begin(): void {
    if (this.#run !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#run = this.#writeOn().finally(() => {
      this.#run = undefined;
      if (this.#isOver || !this.#hasMore()) return;
      this.#timer ??= this.#later(this.#fails.write ? retryTime : this.#gatherTime);
    });
  }

  /** Writes batches as long as there is enough data. */
  async #writeOn(): Promise<void> {
    try {
      do {
        if (this.#batch === nothing) {
          this.#batch = this.#gathered.bytes;
          [this.#gathered, this.#written] = [this.#written, this.#gathered];
        }
        while (this.#at < this.#batch.length) {
          await this.#renewIfDue();
          await this.#writeSome();
          if (this.#isOver) return;
          this.#fails.write = false;
        }
        this.#endBatch();
        if (performance.now() - this.#toldLostAt >= tellEvery) this.#tellLost();
      } while (this.#hasMore() && (this.#gatherTime === 0 || this.#gathered.size >= this.#worthAWrite));
    } catch (error) {
      if (!this.#fails.write) this.#options.noteFailure(error);
      this.#fails.write = true;
    }
  }

  async #renewIfDue(): Promise<void> {
    const { destination } = this.#options;
    const former = destination.fd;
    // If the next line does not fit, no later one does.
    const size = pieceEnd(this.#batch, this.#at, 0) - this.#at;
    if (!destination.isDue(size)) return;
    try {
      await destination.renew(size);
      this.#fails.renew = false;
    } catch (error) {
      if (destination.isLost) throw error;
      if (!this.#fails.renew) this.#options.noteFailure(error);
      this.#fails.renew = true;
    }
    // A line that was cut off in the old file is written completely to the new one.
    if (destination.fd !== former && this.#at > 0) {
      this.#handedOver = this.#at = this.#batch.lastIndexOf(lineEnd, this.#at - 1) + 1;
    }
  }

  async #writeSome(): Promise<void> {
    let pause = shortestPause;
    while (!this.#isOver && this.#at < this.#batch.length) {
      const before = this.#at;
      await this.#writePiece();
      if (this.#at > before) return;
      // The reader of our pipe does not read now. This wait alone does not keep the process alive.
      await wait(pause, undefined, { ref: false });
      pause = Math.min(2 * pause, longestPause);
    }
  }

  /** Writes as many whole lines as there is room for. */
  async #writePiece(): Promise<void> {
    const { destination } = this.#options;
    const end = pieceEnd(this.#batch, this.#at, destination.room);
    const written = destination.write(this.#batch.subarray(this.#at, end));
    if (typeof written === "number") {
      this.#at += written;
      this.#handedOver = this.#at;
      return;
    }
    this.#handedOver = end;
    try {
      this.#at += await written;
    } finally {
      this.#handedOver = this.#at;
    }
  }

  #hasMore(): boolean {
    return this.#gathered.size > 0 || this.#batch !== nothing;
  }

  #endBatch(): void {
    this.#batch = nothing;
    this.#at = 0;
    this.#handedOver = 0;
    this.#written.clear();
  }

  readonly #tellLost = (): void => {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = undefined;
    if (this.#lost === 0) return;
    const { noteLost } = this.#options;
    if ("line" in noteLost) {
      this.#gathered.addText(noteLost.line(this.#lost));
      this.#gathered.endLine();
    } else noteLost.elsewhere(this.#lost);
    this.#lost = 0;
    this.#toldLostAt = performance.now();
  };

  #later(time: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#begin(), time);
    // A failing log does not keep the process alive.
    return this.#fails.write ? timer.unref() : timer;
  }
}

const nothing: Buffer = Buffer.alloc(0);
const lineEnd = 0x0a;

/**
 * This many bytes are written without waiting for more: each write wakes another thread, which costs as much as a few
 * hundred lines.
 */
const largestBatch = 512 * 1024;
/** In milliseconds: when a failed write (a full disk) is retried. */
const retryTime = 1000;
/**
 * In milliseconds: the first pause before a pipe or terminal that accepts nothing is tried again. It doubles each time.
 */
const shortestPause = 1;
const longestPause = 100;
/** In milliseconds: the same for synchronous waits. */
const lastPause = 10;
/** The default time that `flushSync` waits for a pipe without an active reader, in milliseconds. */
const patience = 500;
/** In milliseconds, between two reports of lost lines. */
const tellEvery = 1000;
/** In milliseconds; the maximum of a timer. */
const longTime = 2 ** 31 - 1;
/** The time that `close` waits for a pipe without an active reader, in milliseconds. */
const closeTimeout = 2000;

/** The end of the whole lines that fit into `room`, or of the first line if it alone is larger. */
function pieceEnd(batch: Buffer, at: number, room: number): number {
  if (batch.length - at <= room) return batch.length;
  const last = room > 0 ? batch.lastIndexOf(lineEnd, at + room - 1) : -1;
  return 1 + (last >= at ? last : batch.indexOf(lineEnd, at));
}

/**
 * Blocks until everything is written, writing fails, or the time is over without a reader. Returns the number of bytes
 * written.
 */
function writeUntil(until: number, destination: Destination, bytes: Buffer): number {
  let at = 0;
  try {
    while (at < bytes.length) {
      const size = destination.writeSync(bytes.subarray(at, pieceEnd(bytes, at, destination.room)));
      at += size;
      if (size > 0) continue;
      if (performance.now() >= until) break;
      Atomics.wait(nobody, 0, 0, lastPause);
    }
  } catch {
    // Unwritten lines are counted as lost.
  }
  return at;
}

/** Never notified. */
const nobody = new Int32Array(new SharedArrayBuffer(4));

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === lineEnd) count++;
  return count;
}
