// The packets that a turn of the event loop has made, which are sent together at its end.
//
//   room ──> a packet is written there ──> add ──> … ──> send
//
// A receiver is woken by the first of them, and finds the others: it answers and acknowledges many at once. Sent one by
// one, as they are made, each wakes it again, and a third more packets come back.
//
// The system takes most packets at once. Then the same bytes are used for others, and nothing is copied.

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
  readonly #slots: readonly [Slot, ...Slot[]];
  #count = 0;

  /** `size`: of the largest packet, in bytes. `most`: how many wait at once. */
  constructor(size: number, most: number) {
    this.#size = size;
    this.#slots = [this.#slot(), ...Array.from({ length: most - 1 }, () => this.#slot())];
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
    if (this.#count === this.#slots.length) this.send();
  }

  /** Sends all that wait, in their order. */
  send(): void {
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i];
      const { sender, to } = slot ?? {};
      if (slot === undefined || sender === undefined || to === undefined) continue;
      slot.sender = undefined;
      slot.to = undefined;
      if (sender.sendPacket(slot.packet, to)) continue;
      // It is still to be sent, and keeps its bytes: the next one gets others.
      slot.bytes = Buffer.allocUnsafeSlow(this.#size);
      slot.packet = slot.bytes;
    }
    this.#count = 0;
  }

  get #next(): Slot {
    return this.#slots[this.#count] ?? this.#slots[0];
  }

  #slot(): Slot {
    const bytes = Buffer.allocUnsafeSlow(this.#size);
    return { bytes, packet: bytes, sender: undefined, to: undefined };
  }
}
