// The unidirectional streams that we open: control, QPACK encoder, QPACK decoder. What a peer does not take at once
// waits, up to a bound.

import { varint } from "@hemi/common";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, Http3ConnError } from "./errors.ts";
import { streamType } from "./frames.ts";
import { StreamOutput } from "./stream-output.ts";

export class OwnStreams {
  readonly #quic: QuicConn;
  readonly #outputs = new Map<number, StreamOutput>();
  /** In bytes, of all of them. */
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
  /** Sends an instruction to the peer's decoder. */
  readonly encoder = (instruction: Buffer): void => this.#send(streamType.qpackEncoder, instruction);
  /** Sends an instruction to the peer's encoder. */
  readonly decoder = (instruction: Buffer): void => this.#send(streamType.qpackDecoder, instruction);

  /** Sends on what waits. */
  flush(): void {
    if (this.#waiting === 0) return;
    for (const output of this.#outputs.values()) {
      if (output.isBlocked) this.#waiting -= output.flush();
      this.#check(output);
    }
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

/** In bytes. No prop: a peer that takes the streams at all is far from it. */
const maxWaiting = 64 * 1024;
