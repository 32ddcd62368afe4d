// Which streams of a connection there are: those that the peer has begun, and those that this side may open (RFC 9000
// 2.1: the two lowest bits of an id tell who has opened the stream, and whether both sides send on it).

import type { NativeConn } from "./native.ts";

/** Ids of one kind of streams are this far apart. */
const step = 4;

export class StreamIds {
  readonly #native: NativeConn;
  #nextUni: number;
  #nextBidi: number;
  /** Above the bidirectional streams of the peer that have been given out. */
  #nextOfPeer: number;

  constructor(native: NativeConn, isServer: boolean) {
    this.#native = native;
    this.#nextUni = isServer ? 3 : 2;
    this.#nextBidi = isServer ? 1 : 0;
    this.#nextOfPeer = isServer ? 0 : 1;
  }

  /** Bidirectional streams of the peer that are new since the last call. */
  begun(): readonly number[] {
    if (!this.#native.isReadable()) return none;
    const begun: number[] = [];
    for (; this.#native.streamReadable(this.#nextOfPeer); this.#nextOfPeer += step) begun.push(this.#nextOfPeer);
    return begun;
  }

  /** Streams on which something has come, in any order. */
  readable(): readonly number[] {
    if (!this.#native.isReadable()) return none;
    const readable = [...this.#native.readable()];
    for (const id of readable)
      if (id % step === this.#nextOfPeer % step) this.#nextOfPeer = Math.max(this.#nextOfPeer, id + step);
    return readable;
  }

  /** `undefined`: the peer allows no more. */
  openUni(): number | undefined {
    if (this.#native.peerStreamsLeftUni() <= 0) return undefined;
    const id = this.#nextUni;
    this.#nextUni += step;
    return id;
  }

  /** The same. */
  openBidi(): number | undefined {
    if (this.#native.peerStreamsLeftBidi() <= 0) return undefined;
    const id = this.#nextBidi;
    this.#nextBidi += step;
    return id;
  }
}

const none: readonly number[] = [];
