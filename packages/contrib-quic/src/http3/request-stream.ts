// The receiving side of a request's stream: head, content and trailers of the request, or, at its client, of the
// response with the interim ones before it.
//
//   QuicConn.read ──> FrameReader ── HEADERS ──> the connection decodes them: the head, or the trailers
//                                 └─ DATA ─────> takePiece
//
// Nothing is read ahead: content that nobody has asked for stays in QUIC, within its windows.

import { noFields, type Fields } from "@hemi/internal";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, Http3ConnError } from "./errors.ts";
import { FrameReader, type FrameRules, type FrameTreatment } from "./frame-reader.ts";
import { frameType } from "./frames.ts";
import { treatMessageFrame, type MessageFrameRules, type MessagePhase } from "./message-frames.ts";

/** What a stream tells its connection. */
export interface RequestStreamOwner extends MessageFrameRules {
  readonly quic: QuicConn;
  /** A field section is here, or was too large: `section` is set. It is to be read, or waits for QPACK. */
  sectionArrived(stream: RequestStream): void;
  /** It is no stream of HTTP, but of a WebTransport session: `rest` of it was read. */
  belongsToSession?(stream: RequestStream, sessionId: number, rest: Buffer, isEnd: boolean): void;
  /** Nobody reads the rest of it, in which there may be sections. */
  streamLeft(stream: RequestStream): void;
  /** The peer has reset the stream. */
  resetByPeer(stream: RequestStream, code: number): void;
}

export class RequestStream implements FrameRules {
  readonly id: number;
  /** When it began, in ms on the monotonic clock. */
  readonly beganAt: number;
  /** A field section that has not been read; "tooLarge": it was skipped. */
  section: Buffer | "tooLarge" | undefined;
  /** Known once `isWhole`. */
  trailers: Fields = noFields;
  /** Content that was taken, in bytes. */
  received = 0;
  phase: MessagePhase = "head";
  /** Content has come that was not read when it could be. */
  isBehind = false;
  /** The peer has reset it, or we have stopped it: nothing more is read. */
  isLeft = false;
  readonly #owner: RequestStreamOwner;
  readonly #reader: FrameReader;
  /** Something of it has come: it is no stream that is over. */
  hasCome = false;
  /** The last byte has been read. */
  #hasEnded = false;
  /** A field section was too large, and is not told yet. */
  #isSkipping = false;

  constructor(id: number, beganAt: number, owner: RequestStreamOwner) {
    this.id = id;
    this.beganAt = beganAt;
    this.#owner = owner;
    this.#reader = new FrameReader(this);
  }

  treat(type: number, size: number): FrameTreatment {
    const treatment = treatMessageFrame(type, size, this.phase, this.#owner);
    if (treatment === "skipped" && type === frameType.headers) this.#isSkipping = true;
    return treatment;
  }

  /** Whether content has come that nobody has read. */
  get hasUnread(): boolean {
    return this.isBehind || (this.received === 0 && this.phase === "content" && this.#reader.isWithinFrame);
  }

  /** All of the message has come and was read. */
  get isWhole(): boolean {
    return this.#hasEnded && !this.#reader.isWithinFrame && this.section === undefined;
  }

  /** Its head has not come in full, or waits for QPACK. */
  get isAtHead(): boolean {
    return this.phase === "head" && !this.isLeft;
  }

  /** Reads until the head is here, which `sectionArrived` tells. */
  readHead(): void {
    while (this.phase === "head" && this.section === undefined && !this.isLeft) {
      const frame = this.#reader.next();
      if (frame?.type === frameType.webTransport) return this.#leaveHttp(frame.payload);
      const section = frame?.payload ?? this.#skippedSection();
      if (section !== undefined) this.#arrived(section);
      else if (!this.#fetch()) return;
    }
    // While a head waits for QPACK, its client may give the request up.
    if (this.section !== undefined && this.#owner.quic.isAtEnd(this.id)) this.peekEnd();
  }

  #leaveHttp(rest: Buffer): void {
    this.phase = "content";
    this.#owner.belongsToSession?.(this, this.#reader.left, rest, this.#hasEnded);
  }

  /** Whether the message ends with its head: looks whether its end has come. */
  endsWithHead(): boolean {
    if (this.#reader.isWithinFrame) return false;
    if (!this.#hasEnded && this.#owner.quic.isAtEnd(this.id)) this.#fetch();
    return this.#hasEnded;
  }

  /** Whether the client ended the stream before its head was complete (RFC 9114 4.1). */
  get isHeadMissing(): boolean {
    return this.#hasEnded && this.phase === "head" && this.section === undefined;
  }

  /** Reads the end or the reset of the stream, which is all that is left of it. */
  peekEnd(): void {
    if (!this.#hasEnded) this.#fetch();
  }

  /** The next piece of content that is here. Throws the errors of the connection. */
  takePiece(): Buffer | undefined {
    while (this.section === undefined && !this.isLeft) {
      const frame = this.#reader.next();
      if (frame?.type === frameType.data) {
        this.received += frame.payload.length;
        return frame.payload;
      }
      const section = frame?.payload ?? this.#skippedSection();
      if (section !== undefined) this.#arrived(section);
      else if (!this.#fetch()) {
        this.isBehind = false;
        return undefined;
      }
    }
    return undefined;
  }

  /** Nobody reads on: the client may stop (RFC 9114 4.1). */
  leave(code: number): void {
    if (this.isLeft || this.isWhole) return;
    this.isLeft = true;
    this.#owner.streamLeft(this);
    if (!this.#hasEnded) this.#owner.quic.stop(this.id, code);
  }

  #skippedSection(): "tooLarge" | undefined {
    if (!this.#isSkipping) return undefined;
    this.#isSkipping = false;
    return "tooLarge";
  }

  #arrived(section: Buffer | "tooLarge"): void {
    this.section = section;
    this.#owner.sectionArrived(this);
  }

  /** Reads what has come. False: nothing has. */
  #fetch(): boolean {
    if (this.isLeft) return false;
    // All that came has been cut into frames: a rest of one will not be completed (RFC 9114 7.1).
    if (this.#hasEnded && this.#reader.isWithinFrame)
      throw new Http3ConnError(errorCode.frameError, "a stream ended within a frame");
    if (this.#hasEnded) return false;
    const piece = this.#owner.quic.read(this.id, this.phase === "head" ? maxHeadPiece : undefined);
    if (piece === undefined) return false;
    this.hasCome = true;
    if ("resetBy" in piece) {
      this.isLeft = true;
      this.#owner.resetByPeer(this, piece.resetBy);
      return false;
    }
    if (piece.bytes.length > 0) this.#reader.push(piece.bytes);
    this.#hasEnded = piece.isEnd;
    return piece.bytes.length > 0 || this.#hasEnded;
  }
}

/** In bytes: content that comes with a head is left in QUIC, whose windows count it. */
const maxHeadPiece = 4096;
