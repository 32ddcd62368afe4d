// The unidirectional streams that we open: control, QPACK encoder, QPACK decoder. Instructions of QPACK are sent
// together at the end of a turn. What a peer does not take at once waits, up to a bound.

import { varint } from "@hemi/common";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, Http3ConnError } from "./errors.ts";
import { streamType } from "./frames.ts";
import { StreamOutput } from "./stream-output.ts";

export class OwnStreams {
  readonly #quic: QuicConn;
  readonly #outputs = new Map<number, StreamOutput>();
  /** Of QPACK, since the streams were flushed: by type of stream. */
  readonly #instructions = new Map<number, Buffer[]>();
  /** Instructions for the peer's encoder that acknowledge sections. */
  #acknowledgments = 0;
  /** What was not taken, in bytes, of all streams. */
  #waiting = 0;

  constructor(quic: QuicConn) {
    this.#quic = quic;
  }

  /** Opens the streams, and sends `settings` first. Throws if the peer allows fewer streams. */
  open(settings: Buffer): void {
    for (const type of [streamType.control, streamType.qpackEncoder, streamType.qpackDecoder]) {
      const id = this.#quic.openUni();
      if (id === undefined)
        throw new Http3ConnError(errorCode.generalProtocolError, "it allows fewer streams than HTTP/3 needs");
      this.#quic.prioritize(id, 0, false);
      this.#outputs.set(type, new StreamOutput(this.#quic, id));
      this.#send(type, type === streamType.control ? Buffer.concat([varint(type), settings]) : varint(type));
    }
  }

  /** Sends a frame on the control stream. */
  readonly control = (frame: Buffer): void => this.#send(streamType.control, frame);
  /** An instruction for the peer's decoder, which is sent by the next `flush`. */
  readonly encoder = (instruction: Buffer): void => this.#later(streamType.qpackEncoder, instruction);
  /** An instruction for the peer's encoder, which is sent by the next `flush`. */
  readonly decoder = (instruction: Buffer): void => this.#later(streamType.qpackDecoder, instruction);
  /** The same for the acknowledgment of a section, which may wait for others. */
  readonly acknowledgment = (instruction: Buffer): void => {
    this.#acknowledgments++;
    this.#later(streamType.qpackDecoder, instruction);
  };

  /** Sends instructions, and what waits. `mayDelay`: a few acknowledgments may wait for a packet with more. */
  flush(mayDelay = false): void {
    for (const [type, instructions] of this.#instructions) {
      if (instructions.length === 0) continue;
      if (type === streamType.qpackDecoder) {
        const areAcknowledgments = instructions.length === this.#acknowledgments;
        if (mayDelay && areAcknowledgments && instructions.length < maxAcknowledgments) continue;
        this.#acknowledgments = 0;
      }
      this.#send(type, Buffer.concat(instructions.splice(0)));
    }
    if (this.#waiting === 0) return;
    for (const output of this.#outputs.values()) {
      if (output.isBlocked) this.#waiting -= output.flush();
      this.#check(output);
    }
  }

  /** Looks whether the peer takes no more of one. Throws H3_CLOSED_CRITICAL_STREAM. */
  lookForStopped(): void {
    for (const output of this.#outputs.values()) {
      output.lookForStopped();
      this.#check(output);
    }
  }

  /** Each has its place among others of its stream, and none is of use before a turn is over. */
  #later(type: number, instruction: Buffer): void {
    const instructions = this.#instructions.get(type);
    if (instructions === undefined) this.#instructions.set(type, [instruction]);
    else instructions.push(instruction);
    this.#quic.flush();
  }

  #send(type: number, bytes: Buffer): void {
    const output = this.#outputs.get(type);
    if (output === undefined || this.#quic.isClosed) return;
    const before = output.contentTaken;
    output.write(bytes, 0, false);
    this.#waiting += bytes.length - (output.contentTaken - before);
    this.#check(output);
    if (this.#waiting > maxWaiting)
      throw new Http3ConnError(errorCode.excessiveLoad, "it takes nothing of our control streams");
    this.#quic.flush();
  }

  #check({ isStopped }: StreamOutput): void {
    if (isStopped) throw new Http3ConnError(errorCode.closedCriticalStream, "it stopped a stream that HTTP/3 needs");
  }
}

/** No prop: the peer's table cannot drop what they refer to, but it has room for more than they can hold. */
const maxAcknowledgments = 32;

/** In bytes. No prop: a peer that takes the streams at all is far from it. */
const maxWaiting = 64 * 1024;
