// The file of a log: opened at boot, rotated when it is full or a new day starts, and reopened after it was moved.
//
//  access.log ──> access.log.1 ──> access.log.2 ──> … ──> access.log.KEEP ──> deleted

import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { close, fstat, open } from "node:fs";
import { readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { makeFolder, makeFolderSync } from "@hemi/common";
import { HemiError } from "../errors/hemi-error.ts";
import type { Destination } from "./destination.ts";
import { writeSome, writeSomeSync } from "./write-some.ts";

/** When a file is rotated. This happens between two writes of whole lines. */
export interface Rotation {
  /** The maximum size in bytes. A non-empty file is rotated before it exceeds this. Default: unlimited. */
  readonly maxSize?: number | undefined;
  /** Whether to rotate before the first write of another day than the file's, in UTC. */
  readonly isDaily: boolean;
  /** The number of old files to keep, from 1 to `maxKeep`. */
  readonly keep: number;
}

/** A file with a greater number does not belong to a log: the number may be a year. */
export const maxKeep = 1000;

export interface LogFileOptions {
  /** The name of this log in messages: `error log`. */
  readonly title: string;
  /** The file and its folders are created if missing; lines are appended. */
  readonly path: string;
  readonly rotation?: Rotation | undefined;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** In milliseconds, on a monotonic clock. Default: `performance.now`. */
  readonly monotonic?: (() => number) | undefined;
}

export class LogFile implements Destination {
  readonly name: string;
  fd: number;
  isLost = false;
  /** Another one may be set at any time. */
  rotation: Rotation | undefined;
  readonly #now: () => number;
  readonly #monotonic: () => number;
  /** Of the open file. */
  #stats: Stats;
  /** In bytes. Other processes may write to it as well; that is seen at the next check. */
  #size: number;
  /** Days since the epoch, in UTC. */
  #day: number;
  #mustOpen = false;
  /** When to check again whether the file still has its name, or to retry what failed, on the monotonic clock. */
  #looksAt: number;
  #hasFailed = false;

  /** @throws HemiError HEMI_FILE if the file cannot be opened: at boot, not when the first line is written */
  constructor({ title, path, rotation, now, monotonic }: LogFileOptions) {
    this.name = path;
    this.rotation = rotation;
    this.#now = now ?? Date.now;
    this.#monotonic = monotonic ?? (() => performance.now());
    try {
      makeFolderSync(dirname(path));
      this.fd = openSync(path, openFlags, mode);
      this.#stats = fstatSync(this.fd);
    } catch (error) {
      throw new HemiError("HEMI_FILE", `the ${title} ${JSON.stringify(path)} cannot be opened: ${reason(error)}`, {
        cause: error,
      });
    }
    this.#size = this.#stats.size;
    this.#day = this.#dayOf(this.#stats);
    this.#looksAt = this.#monotonic() + lookEvery;
  }

  /** If it is full and cannot be rotated, the limit is ignored. */
  get room(): number {
    return this.#hasFailed ? Infinity : this.#roomLeft();
  }

  isDue(size: number): boolean {
    if (this.isLost) return true;
    const isTimeToLook = this.#monotonic() >= this.#looksAt;
    if (this.#hasFailed) return isTimeToLook;
    return isTimeToLook || this.#mustOpen || this.#isFull(size) || this.#isOfYesterday();
  }

  async renew(size: number): Promise<void> {
    this.#looksAt = this.#monotonic() + lookEvery;
    this.#hasFailed = false;
    try {
      const named = await stat(this.name).catch(() => undefined);
      const isOurs = named?.ino === this.#stats.ino && named.dev === this.#stats.dev;
      if (isOurs) this.#found(named);
      // Another process that writes to the file may have rotated it just now.
      const isRotated = isOurs && named.isFile() && (this.#isFull(size) || this.#isOfYesterday());
      if (isRotated) await rotate(this.name, this.rotation?.keep ?? 1);
      if (!isOurs || isRotated) this.#mustOpen = true;
      if (this.#mustOpen) await this.#open();
    } catch (error) {
      this.#hasFailed = true;
      this.isLost = await readStats(this.fd).then(
        ({ nlink }) => nlink === 0,
        () => false,
      );
      throw error;
    }
  }

  async write(bytes: Buffer): Promise<number> {
    return this.#wrote(await writeSome(this.fd, bytes));
  }

  writeSync(bytes: Buffer): number {
    return this.#wrote(writeSomeSync(this.fd, bytes));
  }

  reopen(): void {
    this.#mustOpen = true;
    this.#hasFailed = false;
  }

  close(): Promise<void> {
    return closeFile(this.fd);
  }

  async #open(): Promise<void> {
    await makeFolder(dirname(this.name));
    const fd = await openFile(this.name, openFlags, mode);
    try {
      this.#stats = await readStats(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    const former = this.fd;
    this.fd = fd;
    this.#size = this.#stats.size;
    this.#day = this.#dayOf(this.#stats);
    this.#mustOpen = false;
    this.isLost = false;
    await closeFile(former);
  }

  #wrote(size: number): number {
    // The day of a file is that of its first line: it may have been empty for days.
    if (this.#size === 0) this.#day = dayAt(this.#now());
    this.#size += size;
    return size;
  }

  /** Detects what others have written to it. */
  #found(stats: Stats): void {
    if (this.#size === 0) this.#day = this.#dayOf(stats);
    this.#size = stats.size;
  }

  #isFull(more: number): boolean {
    return this.#size > 0 && more > this.#roomLeft();
  }

  #roomLeft(): number {
    return (this.rotation?.maxSize ?? Infinity) - this.#size;
  }

  #isOfYesterday(): boolean {
    return this.rotation?.isDaily === true && this.#size > 0 && dayAt(this.#now()) !== this.#day;
  }

  #dayOf({ size, mtimeMs }: Stats): number {
    return dayAt(size === 0 ? this.#now() : mtimeMs);
  }
}

/** Each rename is atomic: a process that dies in between leaves a gap in the numbers, and loses nothing. */
async function rotate(path: string, keep: number): Promise<void> {
  for (let number = keep - 1; number >= 1; number--) {
    await rename(`${path}.${number}`, `${path}.${number + 1}`).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }
  await rename(path, `${path}.1`);
  await removeBeyond(path, keep);
}

/** Removes files from a time when more were kept. A failed removal is repeated at the next rotation. */
async function removeBeyond(path: string, keep: number): Promise<void> {
  const start = `${basename(path)}.`;
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    const end = name.startsWith(start) ? name.slice(start.length) : "";
    if (!/^[1-9]\d{0,3}$/.test(end)) continue;
    const number = Number(end);
    if (number > keep && number <= maxKeep) await unlink(`${path}.${number}`).catch(() => {});
  }
}

function dayAt(time: number): number {
  return Math.floor(time / 86_400_000);
}

/**
 * If others delete or move the file, it is created again within this time, in milliseconds, when something is written.
 */
const lookEvery = 1000;

// O_NONBLOCK: a FIFO without a reader fails with ENXIO instead of blocking the boot forever.
const openFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const mode = 0o640;

const openFile = promisify(open);
const closeFile = promisify(close);
const readStats = promisify<number, Stats>(fstat);

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
