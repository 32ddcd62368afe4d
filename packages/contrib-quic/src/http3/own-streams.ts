// The unidirectional streams that we open: control, QPACK encoder, QPACK decoder. Instructions of QPACK are sent
// together at the end of a turn. What a peer does not take at once waits, up to a bound.

import { varint } from "@hemi/common";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, Http3ConnError } from "./errors.ts";
import { streamType } from "./frames.ts";
import { StreamOutput } from "./stream-output.ts";

export class OwnStreams {
  readonly #quic: QuicConn;
  #control: StreamOutput | undefined;
  #encoder: StreamOutput | undefined;
  #decoder: StreamOutput | undefined;
  /** Instructions for the peer's decoder since the streams were flushed. */
  #toDecoder: Buffer[] = [];
  /** The same for its encoder, */
  #toEncoder: Buffer[] = [];
  /** and how many of them acknowledge sections. */
  #acknowledgments = 0;
  /** What was not taken, in bytes, of all streams. */
  #waiting = 0;

  constructor(quic: QuicConn) {
    this.#quic = quic;
  }

  /** Opens the streams, and sends `settings` first. Throws if the peer allows fewer streams. */
  open(settings: Buffer): void {
    this.#control = this.#openStream(Buffer.concat([controlType, settings]));
    this.#encoder = this.#openStream(encoderType);
    this.#decoder = this.#openStream(decoderType);
  }

  #openStream(begin: Buffer): StreamOutput {
    const id = this.#quic.openUni();
    if (id === undefined)
      throw new Http3ConnError(errorCode.generalProtocolError, "it allows fewer streams than HTTP/3 needs");
    this.#quic.prioritize(id, 0, false);
    const output = new StreamOutput(this.#quic, id);
    this.#send(output, begin);
    return output;
  }

  /** Sends a frame on the control stream. */
  control(frame: Buffer): void {
    this.#send(this.#control, frame);
  }

  /** An instruction for the peer's decoder, which is sent by the next `flush`. */
  readonly encoder = (instruction: Buffer): void => {
    this.#toDecoder.push(instruction);
    this.#quic.flush();
  };
  /** An instruction for the peer's encoder, which is sent by the next `flush`. */
  readonly decoder = (instruction: Buffer): void => {
    this.#toEncoder.push(instruction);
    this.#quic.flush();
  };
  /** The same for the acknowledgment of a section, which may wait for others. */
  readonly acknowledgment = (instruction: Buffer): void => {
    this.#acknowledgments++;
    this.decoder(instruction);
  };

  /** Acknowledgments of sections wait for others: `flush` is to be called some time. */
  get hasDelayed(): boolean {
    return this.#toEncoder.length > 0;
  }

  /** Sends instructions, and what waits. `mayDelay`: a few acknowledgments may wait for a packet with more. */
  flush(mayDelay = false): void {
    // Each has its place among others of its stream, and none is of use before a turn is over.
    if (this.#toDecoder.length > 0) this.#send(this.#encoder, Buffer.concat(this.#toDecoder.splice(0)));
    const areAcknowledgments = this.#toEncoder.length === this.#acknowledgments;
    const mayWait = mayDelay && areAcknowledgments && this.#toEncoder.length < maxAcknowledgments;
    if (this.#toEncoder.length > 0 && !mayWait) {
      this.#acknowledgments = 0;
      this.#send(this.#decoder, Buffer.concat(this.#toEncoder.splice(0)));
    }
    if (this.#waiting === 0) return;
    for (const output of this.#outputs()) {
      if (output.isBlocked) this.#waiting -= output.flush();
      this.#check(output);
    }
  }

  /** Looks whether the peer takes no more of one. Throws H3_CLOSED_CRITICAL_STREAM. */
  lookForStopped(): void {
    for (const output of this.#outputs()) {
      output.lookForStopped();
      this.#check(output);
    }
  }

  #outputs(): readonly StreamOutput[] {
    return [this.#control, this.#encoder, this.#decoder].filter((output) => output !== undefined);
  }

  #send(output: StreamOutput | undefined, bytes: Buffer): void {
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

const controlType = varint(streamType.control);
const encoderType = varint(streamType.qpackEncoder);
const decoderType = varint(streamType.qpackDecoder);

/** No prop: the peer's table cannot drop what they refer to, but it has room for more than they can hold. */
const maxAcknowledgments = 32;

/** In bytes. No prop: a peer that takes the streams at all is far from it. */
const maxWaiting = 64 * 1024;
