// A copy of what a client sends, for another backend. It never slows the client: a mirror that is too slow, or cannot
// be reached, is given up.

import { Buffer } from "node:buffer";
import type { BackendFailure } from "../../backend/failure.ts";
import type { Link, LinkUser } from "../../net/link.ts";
import type { DialUser, DialWish } from "./node-link.ts";
import type { TcpsBackend } from "./tcps-backend.ts";

export class Mirror implements DialUser, LinkUser {
  readonly #log: (message: string) => void;
  #dialling: { cancel(): void } | undefined;
  #link: Link | undefined;
  /** What was sent before there was a connection. */
  #waiting: Buffer[] = [];
  #size = 0;
  #hasEnded = false;
  #isOver = false;

  constructor(log: (message: string) => void) {
    this.#log = log;
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
      this.#size = this.#link.socket.writableLength;
    }
    if (this.#size > maxBehind) this.#giveUp(`it is more than ${maxBehind} bytes behind`);
  }

  /** The client sends nothing more. */
  end(): void {
    this.#hasEnded = true;
    this.#link?.end();
  }

  /** The connection that it mirrors is over. */
  close(): void {
    if (this.#isOver) return;
    // What was sent still goes out, once there is a connection for it.
    if (this.#link !== undefined || this.#size > 0) return this.end();
    this.#isOver = true;
    this.#dialling?.cancel();
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
    this.#giveUp(failure.message);
  }

  nodeDown(): void {}

  /** Answers are dropped. */
  received(): void {}
  drained(): void {}

  ended(): void {
    this.#link?.end();
  }

  closed(): void {
    this.#isOver = true;
  }

  #giveUp(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = [];
    this.#link?.destroy();
    this.#log(`a mirror is given up: ${reason}`);
  }
}

/** In bytes. Not a prop: a mirror that falls behind will not catch up. */
const maxBehind = 1024 * 1024;
