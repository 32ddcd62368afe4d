// Requests to cancel: the session of a key is here, or at another worker, because such a request comes on a connection
// of its own, which any worker may get.
//
//  request ──> a session of this worker has the key ──> its server
//         ├──> no worker has given it ──> nothing
//         └──> another one has ──> told to the other workers, some requests a second at most ──> the one that has it

import { createHmac, randomInt } from "node:crypto";
import { takeFromBucket } from "@hemi/common";
import type { Workers } from "@hemi/internal";
import { int32, message } from "../protocol/messages.ts";
import type { ServerConn } from "./server-conn.ts";

/**
 * By which a client finds its session again: two integers of 32 bits, which nobody else knows. The second one is a
 * digest of the first one, so that each worker knows the keys of all workers from others.
 */
export interface CancelKey {
  readonly id: number;
  readonly key: number;
}

/** A session of a client. */
export interface CancelledSession {
  /** The server that works for it. */
  readonly busyServer: ServerConn | undefined;
}

export interface CancelsOptions {
  readonly workers: Workers;
  /** The same in all workers: by that the proxies find each other. */
  readonly path: string;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Asks the server to cancel what it does. */
  readonly cancel: (server: ServerConn) => void;
}

export class Cancels {
  readonly #options: CancelsOptions;
  readonly #topic: string;
  readonly #sessions = new Map<number, CancelledSession>();
  /** All workers have the same. */
  #secret: Buffer = Buffer.alloc(0);
  #passedOn: number | undefined;
  #end: (() => void) | undefined;

  constructor(options: CancelsOptions) {
    this.#options = options;
    this.#topic = `cancel ${options.path}`;
  }

  /** From now on, requests that other workers have got are heard. */
  async open(): Promise<void> {
    this.#secret = await this.#options.workers.secret("pgsqlProxy");
    this.#end = this.#options.workers.subscribe(this.#topic, (told) => {
      if (isKey(told)) this.#cancelHere(told);
    });
  }

  close(): void {
    this.#end?.();
    this.#end = undefined;
  }

  /** To be given back by `forget`. */
  register(session: CancelledSession): CancelKey {
    let id = randomInt(maxId);
    while (this.#sessions.has(id)) id = randomInt(maxId);
    this.#sessions.set(id, session);
    return { id, key: this.#keyOf(id) };
  }

  forget({ id }: CancelKey): void {
    this.#sessions.delete(id);
  }

  /** A client has asked for it. A wrong key does nothing. */
  request(key: CancelKey): void {
    const { workers } = this.#options;
    if (key.key !== this.#keyOf(key.id)) return;
    if (this.#cancelHere(key) || workers.count < 2 || !this.#mayPassOn()) return;
    workers.broadcast(this.#topic, { id: key.id, key: key.key });
  }

  /** The key is right. */
  #cancelHere({ id }: CancelKey): boolean {
    const session = this.#sessions.get(id);
    const server = session?.busyServer;
    if (server !== undefined) this.#options.cancel(server);
    return session !== undefined;
  }

  #keyOf(id: number): number {
    return createHmac("sha256", this.#secret).update(String(id)).digest().readInt32BE();
  }

  /** Whoever repeats a key, such as one of a session that is over, must not keep the other workers busy. */
  #mayPassOn(): boolean {
    const { granted, arrival } = takeFromBucket(this.#passedOn, rate, { wanted: 1, spent: 0 }, this.#options.now());
    this.#passedOn = arrival;
    return granted === 1;
  }
}

/** BackendKeyData: tells a client its key. */
export function keyMessage({ id, key }: CancelKey): Buffer {
  return message("K", int32(id), int32(key));
}

function isKey(value: unknown): value is CancelKey {
  if (typeof value !== "object" || value === null || !("id" in value) || !("key" in value)) return false;
  return typeof value.id === "number" && typeof value.key === "number";
}

const maxId = 2 ** 31;
/** Not a prop: 100 a second, 1000 at once. */
const rate = { interval: 10, burst: 1000 };
