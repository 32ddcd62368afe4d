// A descriptor that the process inherited, such as standard output, as the destination of one or more logs.
//
//  log of a webapp ── Descriptor ──┐
//  log of another  ── Descriptor ──┴── Outlet ── one write at a time, of whole lines ──> pipe, terminal, file
//
// A pipe whose reader has stopped would block its writer: one of the few threads that read all files, and the process
// at its exit. So it is written without blocking. Making the descriptor non-blocking would affect all processes that
// share it, such as the shell that started us. On Linux, the pipe or terminal is therefore opened again, if possible.

import { close, constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import type { Destination } from "./destination.ts";
import { writeSome, writeSomeSync } from "./write-some.ts";

/** 1 is standard output, 2 standard error. It is not closed. */
export class Descriptor implements Destination {
  readonly name: string;
  readonly isLost = false;
  readonly #outlet: Outlet;

  /** Instances with the same number share one outlet. */
  constructor(fd: number) {
    this.name = ["standard input", "standard output", "standard error"][fd] ?? `descriptor ${fd}`;
    this.#outlet = outlets.get(fd) ?? new Outlet(fd);
    this.#outlet.join(this);
  }

  /** The descriptor that is written to. It may differ from the given one. */
  get fd(): number {
    return this.#outlet.fd;
  }

  get room(): number {
    return this.#outlet.room;
  }

  isDue(): boolean {
    return false;
  }

  renew(): Promise<void> {
    return Promise.resolve();
  }

  write(bytes: Buffer): number | Promise<number> {
    return this.#outlet.write(bytes, this);
  }

  writeSync(bytes: Buffer): number {
    return this.#outlet.writeSync(bytes, this);
  }

  reopen(): void {}

  close(): Promise<void> {
    return this.#outlet.leave(this);
  }
}

/** How a descriptor is written to. */
interface Way {
  readonly fd: number;
  /** Whether we opened it. */
  readonly isOurs: boolean;
  /** Whether it never waits for a reader. */
  readonly isPrompt: boolean;
  /** In bytes. */
  readonly room: number;
}

class Outlet {
  readonly #given: number;
  readonly #way: Way;
  readonly #users = new Set<Descriptor>();
  /** The log that is in the middle of a line: no other log writes meanwhile. */
  #writer: Descriptor | undefined;
  #isInFlight = false;

  constructor(fd: number) {
    this.#given = fd;
    this.#way = wayTo(fd);
    outlets.set(fd, this);
  }

  get fd(): number {
    return this.#way.fd;
  }

  get room(): number {
    return this.#way.room;
  }

  join(user: Descriptor): void {
    this.#users.add(user);
  }

  write(bytes: Buffer, user: Descriptor): number | Promise<number> {
    if (this.#way.isPrompt) return this.writeSync(bytes, user);
    return this.#isFree(user) && !this.#isInFlight ? this.#writeInThread(bytes, user) : 0;
  }

  writeSync(bytes: Buffer, user: Descriptor): number {
    if (!this.#isFree(user)) return 0;
    const size = writeSomeSync(this.#way.fd, bytes);
    this.#wrote(size, bytes, user);
    return size;
  }

  async leave(user: Descriptor): Promise<void> {
    if (!this.#users.delete(user)) return;
    if (this.#writer === user) this.#writer = undefined;
    if (this.#users.size > 0) return;
    outlets.delete(this.#given);
    if (this.#way.isOurs) await closeFile(this.#way.fd);
  }

  #isFree(user: Descriptor): boolean {
    return this.#writer === undefined || this.#writer === user;
  }

  async #writeInThread(bytes: Buffer, user: Descriptor): Promise<number> {
    this.#isInFlight = true;
    try {
      const size = await writeSome(this.#way.fd, bytes);
      this.#wrote(size, bytes, user);
      return size;
    } finally {
      this.#isInFlight = false;
    }
  }

  #wrote(size: number, bytes: Buffer, user: Descriptor): void {
    if (size > 0) this.#writer = bytes[size - 1] === lineEnd || !this.#users.has(user) ? undefined : user;
  }
}

/** By the given number. */
const outlets = new Map<number, Outlet>();

function wayTo(fd: number): Way {
  const stats = fstatSync(fd);
  const isPipe = stats.isFIFO();
  const room = isPipe ? atomicWrite : Infinity;
  // A file waits for no reader. If it were opened again, it would have its own position, and other writers would
  // overwrite our lines.
  if (isPipe || stats.isCharacterDevice()) {
    try {
      return { fd: openSync(`/proc/self/fd/${fd}`, promptFlags), isOurs: true, isPrompt: true, room };
    } catch {
      // No /proc; a pipe of a previous user id; a pipe whose reader is already gone.
    }
  }
  // A socket cannot be opened again. Node.js makes it non-blocking, and restores it when the process exits.
  const isPrompt = (isPipe || stats.isSocket()) && streamOf(fd) instanceof Socket;
  return { fd, isOurs: false, isPrompt, room };
}

function streamOf(fd: number): unknown {
  return fd === 1 ? process.stdout : fd === 2 ? process.stderr : undefined;
}

const promptFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY;

/** PIPE_BUF of Linux, in bytes: a write up to this size is atomic, so other writers cannot interleave. */
const atomicWrite = 4096;

const lineEnd = 0x0a;
const closeFile = promisify(close);
