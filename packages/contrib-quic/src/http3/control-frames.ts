// The frames of a peer's control stream (RFC 9114 7.2, RFC 9218 7.2). SETTINGS is the first one.

import { readVarint, varintSize } from "@hemi/common";
import { parsePriority, type Priority } from "@hemi/internal";
import { errorCode, Http3ConnError } from "./errors.ts";
import { FrameReader, type FrameTreatment } from "./frame-reader.ts";
import { frameType, http2FrameTypes, kindOfStream, streamKind } from "./frames.ts";
import { readSettings, type PeerSettings } from "./settings.ts";

/** What the frames ask for. */
export interface ControlFrameTarget {
  settingsArrived(settings: PeerSettings): void;
  /** GOAWAY: the peer takes nothing more from this id on, requests if it is a server, pushes if it is a client. */
  peerLeaves(id: number): void;
  /** Of a client: how urgent the response on a stream is to it. */
  reprioritized(streamId: number, priority: Priority): void;
  /** A frame came that means nothing to us. */
  idleFrame(size: number): void;
}

export class ControlFrames {
  readonly #peer: "client" | "server";
  readonly #target: ControlFrameTarget;
  readonly #reader: FrameReader;
  #hasSettings = false;
  #maxPushId = -1;
  #goaway = Infinity;

  /** `peer`: whose control stream it is. */
  constructor(peer: "client" | "server", target: ControlFrameTarget) {
    this.#peer = peer;
    this.#target = target;
    this.#reader = new FrameReader({ treat: (type, size) => this.#treat(type, size) });
  }

  /** Bytes of the stream. Throws the errors of the connection. */
  push(bytes: Buffer): void {
    this.#reader.push(bytes);
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      this.#follow(frame.type, frame.payload);
    }
  }

  #treat(type: number, size: number): FrameTreatment {
    if (!this.#hasSettings && type !== frameType.settings)
      throw new Http3ConnError(errorCode.missingSettings, "its control stream does not begin with SETTINGS");
    if (this.#peer === "server" && framesOfClients.has(type))
      throw unexpected(`it sent the frame ${type}, which only a client may`);
    switch (type) {
      case frameType.settings:
      case frameType.goaway:
      case frameType.maxPushId:
      case frameType.cancelPush:
      case frameType.priorityUpdate:
      case frameType.pushPriorityUpdate:
        if (size > maxControlFrame)
          throw new Http3ConnError(errorCode.excessiveLoad, `a frame of ${size} bytes is on its control stream`);
        return "whole";
      case frameType.data:
      case frameType.headers:
      case frameType.pushPromise:
        throw unexpected(`the frame ${type} is on its control stream`);
      default:
        if (http2FrameTypes.has(type)) throw unexpected(`it sent the frame ${type} of HTTP/2`);
        this.#target.idleFrame(size);
        return "skipped";
    }
  }

  #follow(type: number, payload: Buffer): void {
    if (type !== frameType.settings) this.#target.idleFrame(0);
    switch (type) {
      case frameType.settings:
        if (this.#hasSettings) throw unexpected("it sent SETTINGS twice");
        this.#hasSettings = true;
        return this.#target.settingsArrived(readSettings(payload));
      case frameType.goaway: {
        const id = soleId(payload, "GOAWAY");
        if (this.#peer === "server" && kindOfStream(id) !== streamKind.clientBidi)
          throw new Http3ConnError(errorCode.idError, "its GOAWAY names a stream that has no request");
        if (id > this.#goaway) throw new Http3ConnError(errorCode.idError, "the id of its GOAWAY has grown");
        this.#goaway = id;
        return this.#target.peerLeaves(id);
      }
      case frameType.maxPushId: {
        const id = soleId(payload, "MAX_PUSH_ID");
        if (id < this.#maxPushId) throw new Http3ConnError(errorCode.idError, "its MAX_PUSH_ID has shrunk");
        this.#maxPushId = id;
        return;
      }
      case frameType.cancelPush:
        soleId(payload, "CANCEL_PUSH");
        throw new Http3ConnError(errorCode.idError, "it cancels a push that nobody has promised");
      case frameType.priorityUpdate: {
        const id = readVarint(payload, 0);
        if (id < 0) throw cutOff("PRIORITY_UPDATE");
        if (kindOfStream(id) !== streamKind.clientBidi)
          throw new Http3ConnError(errorCode.idError, "it gives a priority to a stream that has no request");
        const text = payload.toString("latin1", varintSize(payload[0] ?? 0));
        return this.#target.reprioritized(id, parsePriority(text));
      }
      case frameType.pushPriorityUpdate:
        throw new Http3ConnError(errorCode.idError, "it gives a priority to a push that nobody has promised");
    }
  }
}

/** RFC 9114 7.2.7, RFC 9218 7.2. */
const framesOfClients: ReadonlySet<number> = new Set([
  frameType.maxPushId,
  frameType.priorityUpdate,
  frameType.pushPriorityUpdate,
]);

/** The id that is all of a frame. */
function soleId(payload: Buffer, name: string): number {
  const id = readVarint(payload, 0);
  if (id < 0 || varintSize(payload[0] ?? 0) !== payload.length) throw cutOff(name);
  return id;
}

function cutOff(name: string): Http3ConnError {
  return new Http3ConnError(errorCode.frameError, `its ${name} frame is not as long as it has to be`);
}

function unexpected(reason: string): Http3ConnError {
  return new Http3ConnError(errorCode.frameUnexpected, reason);
}

/** In bytes. No prop: no frame of ours is as large. */
const maxControlFrame = 16 * 1024;
