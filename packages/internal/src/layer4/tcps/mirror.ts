// A copy of what a client sends, for another backend. It never slows the client: a mirror that is too slow, or cannot
// be reached, is given up. When the client has gone, it may still take the rest, within bounds: see `LeftMirrors`.

import { Buffer } from "node:buffer";
import type { Deadline } from "@hemi/common";
import type { BackendFailure } from "../../backend/failure.ts";
import type { Link, LinkUser } from "../../net/link.ts";
import type { DialUser, DialWish } from "./node-link.ts";
import type { TcpsBackend } from "./tcps-backend.ts";

/** The services that mirrors need from their proxy. */
export interface MirrorOptions {
  /** How long a mirror may take to end after its connection, in milliseconds: live. */
  readonly restTimeout: () => number;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** A mirror ends before it has got everything. */
  readonly givenUp: (reason: string) => void;
}

/** The mirrors that are left when their connections are over: a bounded number, each for a bounded time. */
export class LeftMirrors {
  readonly options: MirrorOptions;
  /** In the order in which their connections ended. */
  readonly #mirrors = new Set<Mirror>();
  #isClosed = false;

  constructor(options: MirrorOptions) {
    this.options = options;
  }

  add(mirror: Mirror): void {
    // Its connection was broken off after its dealet was over: nobody would watch its time.
    if (this.#isClosed) return mirror.giveUp(dealetIsOver);
    if (this.#mirrors.size >= maxLeft) {
      const [oldest] = this.#mirrors;
      oldest?.giveUp(`more than ${maxLeft} take longer than their clients`);
    }
    this.#mirrors.add(mirror);
  }

  delete(mirror: Mirror): void {
    this.#mirrors.delete(mirror);
  }

  /** It holds from now on. */
  restTimeoutChanged(): void {
    for (const mirror of this.#mirrors) mirror.limitRest();
  }

  /** Gives up all of them, and those that are added later. */
  close(): void {
    this.#isClosed = true;
    for (const mirror of this.#mirrors) mirror.giveUp(dealetIsOver);
  }
}

/** The copy of one connection. */
export class Mirror implements DialUser, LinkUser {
  readonly #left: LeftMirrors;
  /** From the end of its connection on. */
  #rest: Deadline | undefined;
  #dialling: { cancel(): void } | undefined;
  #link: Link | undefined;
  /** What was sent before there was a connection. */
  #waiting: Buffer[] = [];
  #size = 0;
  #hasEnded = false;
  #isOver = false;

  constructor(left: LeftMirrors) {
    this.#left = left;
  }

  dial(backend: TcpsBackend, wish: DialWish): void {
    this.#dialling = backend.dial(wish, this);
  }

  write(bytes: Buffer, isShared: boolean): void {
    if (this.#isOver) return;
    if (this.#link === undefined) {
      this.#size += bytes.length;
      this.#waiting.push(isShared ? Buffer.from(bytes) : bytes);
    } else {
      this.#link.write(bytes, isShared);
      this.#size = this.#link.unsent;
    }
    if (this.#size > maxBehind) this.giveUp(`it is more than ${maxBehind} bytes behind`);
  }

  /** The client sends nothing more. */
  end(): void {
    this.#hasEnded = true;
    this.#link?.end();
  }

  /** The connection that it mirrors is over. */
  close(): void {
    if (this.#isOver || this.#rest !== undefined) return;
    // What was sent still goes out, once there is a connection for it.
    if (this.#link !== undefined || this.#size > 0) return this.#takeRest();
    this.#isOver = true;
    this.#dialling?.cancel();
  }

  #takeRest(): void {
    const { makeDeadline, restTimeout } = this.#left.options;
    this.#rest = makeDeadline(() => this.giveUp(`it has not ended within ${restTimeout()} ms after its client`));
    this.limitRest();
    this.end();
    this.#left.add(this);
  }

  /** From now on, it may take as long as one whose connection has just ended. */
  limitRest(): void {
    this.#rest?.set(this.#left.options.restTimeout());
  }

  connected(link: Link): void {
    if (this.#isOver) return link.destroy();
    this.#link = link;
    link.use(this);
    link.hold(false);
    for (const bytes of this.#waiting.splice(0)) link.write(bytes, false);
    if (this.#hasEnded) link.end();
  }

  failed(failure: BackendFailure): void {
    this.giveUp(failure.message);
  }

  nodeDown(): void {}

  /** Answers are dropped. */
  received(): void {}
  drained(): void {}

  ended(): void {
    this.#link?.end();
  }

  closed(): void {
    this.#over();
  }

  /** Ends it at once. */
  giveUp(reason: string): void {
    if (this.#isOver) return;
    this.#over();
    this.#waiting = [];
    // It must not take what it has got for all.
    this.#link?.reset();
    this.#dialling?.cancel();
    this.#left.options.givenUp(reason);
  }

  #over(): void {
    this.#isOver = true;
    this.#rest?.clear();
    this.#left.delete(this);
  }
}

const dealetIsOver = "its dealet is over";
/** In bytes. Not a prop: a mirror that falls behind will not catch up. */
const maxBehind = 1024 * 1024;
/** Not a prop: mirrors that end as fast as their clients are few at a time. */
const maxLeft = 1000;
