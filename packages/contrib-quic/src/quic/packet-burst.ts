// The packets that a turn of the event loop has made, which are sent together at its end.
//
//   room ──> a packet is written there ──> add ──> … ──> send
//
// A receiver is woken by the first of them, and finds the others: it answers and acknowledges many at once. Sent one by
// one, as they are made, each wakes it again, and a third more packets come back.
//
// The system takes most packets at once. Then the same bytes are used for others, and nothing is copied.
//
// A packet that cannot be sent ends its connection, whose users may close others: they add packets, and send them, in
// the middle of `send`. Their packets have slots of their own until the first `send` is done.

import type { HostPort } from "./native.ts";

/** Whose packets they are. */
export interface PacketSender {
  /** Sends a packet. Returns whether its bytes may be used again at once. Must not throw. */
  sendPacket(packet: Buffer, to: HostPort): boolean;
}

/** Room for a packet, and what was written there. */
interface Slot {
  bytes: Buffer;
  /** The first of the bytes. Responses of one kind have packets of few sizes: it often fits the next one. */
  packet: Buffer;
  sender: PacketSender | undefined;
  to: HostPort | undefined;
}

export class PacketBurst {
  readonly #size: number;
  readonly #most: number;
  readonly #slots: Slot[];
  #count = 0;
  /** How many of them are sent, or being sent. */
  #sent = 0;
  #isSending = false;

  /** `size`: of the largest packet, in bytes. `most`: how many wait at once. */
  constructor(size: number, most: number) {
    this.#size = size;
    this.#most = most;
    this.#slots = Array.from({ length: most }, () => this.#slot());
  }

  /** Where the next packet is written. */
  get room(): Buffer {
    return this.#next.bytes;
  }

  /** A packet of this size has been written. It is sent by `send`, or at once if no more may wait. */
  add(size: number, sender: PacketSender, to: HostPort): void {
    const slot = this.#next;
    if (slot.packet.length !== size) slot.packet = slot.bytes.subarray(0, size);
    slot.sender = sender;
    slot.to = to;
    this.#count++;
    if (this.#count >= this.#most) this.send();
  }

  /** Sends all that wait, in their order. Throws what a sender throws: the packets behind wait for the next `send`. */
  send(): void {
    const isFirst = !this.#isSending;
    this.#isSending = true;
    try {
      while (this.#sent < this.#count) this.#sendOne(this.#slots[this.#sent++]);
    } finally {
      if (isFirst) this.#isSending = false;
    }
    if (!isFirst) return;
    this.#count = 0;
    this.#sent = 0;
    if (this.#slots.length > this.#most) this.#slots.length = this.#most;
  }

  #sendOne(slot: Slot | undefined): void {
    const { sender, to } = slot ?? {};
    if (slot === undefined || sender === undefined || to === undefined) return;
    slot.sender = undefined;
    slot.to = undefined;
    let isTaken = false;
    try {
      isTaken = sender.sendPacket(slot.packet, to);
    } finally {
      if (!isTaken) {
        // It is still to be sent, and keeps its bytes: the next one gets others.
        slot.bytes = Buffer.allocUnsafeSlow(this.#size);
        slot.packet = slot.bytes;
      }
    }
  }

  get #next(): Slot {
    return (this.#slots[this.#count] ??= this.#slot());
  }

  #slot(): Slot {
    const bytes = Buffer.allocUnsafeSlow(this.#size);
    return { bytes, packet: bytes, sender: undefined, to: undefined };
  }
}
