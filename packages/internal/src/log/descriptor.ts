// A descriptor that the process was given, such as standard output, as the destination of one log or of several.
//
//   log of a webapp ── Descriptor ──┐
//   log of another  ── Descriptor ──┴── Outlet ── one write at a time, of whole lines ──> pipe, terminal, file
//
// A pipe whose reader has stopped would hold whoever writes to it: one of the few threads that read all files, and the process at its end.
// So it is written to without waiting. But to make the descriptor non-blocking would do so for all who have it, such as the shell that
// started us. Where Linux lets us, the pipe or terminal is opened once more, for us alone.

import { close, constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import type { Destination } from "./destination.ts";
import { writeSome, writeSomeSync } from "./write-some.ts";

/** 1 is standard output, 2 standard error. It stays open. */
export class Descriptor implements Destination {
  readonly name: string;
  readonly isLost = false;
  readonly #outlet: Outlet;

  /** All of the same number share what they write to. */
  constructor(fd: number) {
    this.name = ["standard input", "standard output", "standard error"][fd] ?? `descriptor ${fd}`;
    this.#outlet = outlets.get(fd) ?? new Outlet(fd);
    this.#outlet.join(this);
  }

  /** That of the one who writes: it need not be the one that was given. */
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
  /** It was opened by us. */
  readonly isOurs: boolean;
  /** It never waits for a reader. */
  readonly isPrompt: boolean;
  /** In bytes. */
  readonly room: number;
}

class Outlet {
  readonly #given: number;
  readonly #way: Way;
  readonly #users = new Set<Descriptor>();
  /** Who is in the middle of a line: nobody else writes then. */
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

/** By the number that was given. */
const outlets = new Map<number, Outlet>();

function wayTo(fd: number): Way {
  const stats = fstatSync(fd);
  const isPipe = stats.isFIFO();
  const room = isPipe ? atomicWrite : Infinity;
  // A file waits for no reader. Opened once more it would have a position of its own, and others who write to it would write over our lines.
  if (isPipe || stats.isCharacterDevice()) {
    try {
      return { fd: openSync(`/proc/self/fd/${fd}`, promptFlags), isOurs: true, isPrompt: true, room };
    } catch {
      // No /proc; a pipe of a user that we were before; one whose reader is gone already.
    }
  }
  // A socket cannot be opened once more. Node.js itself makes it non-blocking, and what it was again when the process exits.
  const isPrompt = (isPipe || stats.isSocket()) && streamOf(fd) instanceof Socket;
  return { fd, isOurs: false, isPrompt, room };
}

function streamOf(fd: number): unknown {
  return fd === 1 ? process.stdout : fd === 2 ? process.stderr : undefined;
}

const promptFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY;

/** PIPE_BUF of Linux, in bytes: so much goes into a pipe in one piece, or not at all; whoever else writes to it cannot come between. */
const atomicWrite = 4096;

const lineEnd = 0x0a;
const closeFile = promisify(close);
