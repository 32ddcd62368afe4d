// Which frames may stand on a stream of requests, and in which order (RFC 9114 4.1, 7.2):
//
//   HEADERS ── DATA … ── HEADERS, the trailers ── end            unknown frames may stand anywhere, and are skipped

import { errorCode, Http3ConnError } from "./errors.ts";
import type { FrameTreatment } from "./frame-reader.ts";
import { frameType, http2FrameTypes } from "./frames.ts";

/** What has come of a message. */
export type MessagePhase = "head" | "content" | "trailers";

export interface MessageFrameRules {
  /** What the messages are. */
  readonly reads: "requests" | "responses";
  /** Whether streams may belong to WebTransport sessions. Default: false. */
  readonly takesWebTransport?: boolean;
  /** Of an encoded field section, in bytes: a larger one is skipped. */
  readonly maxSection: number;
  /** A frame came that means nothing to us, of so many bytes. */
  idleFrame(size: number): void;
}

/**
 * How a frame of a message is read: HEADERS that are too large are skipped, too. Throws H3_FRAME_UNEXPECTED, and
 * H3_ID_ERROR for a push.
 */
export function treatMessageFrame(
  type: number,
  size: number,
  phase: MessagePhase,
  rules: MessageFrameRules,
): FrameTreatment {
  switch (type) {
    case frameType.data:
      if (phase !== "content") throw unexpected("DATA", phase === "head" ? "before HEADERS" : "behind trailers");
      if (size === 0) rules.idleFrame(0);
      return "pieces";
    case frameType.headers:
      if (phase === "trailers") throw unexpected("HEADERS", "behind trailers");
      return size <= rules.maxSection ? "whole" : "skipped";
    case frameType.pushPromise:
      // RFC 9114 7.2.5: a client that has sent no MAX_PUSH_ID allows no id of a push.
      if (rules.reads === "responses")
        throw new Http3ConnError(errorCode.idError, "it promises a push, which we have not allowed");
      throw unexpected(`the frame ${type}`, "on a stream of a request");
    case frameType.cancelPush:
    case frameType.settings:
    case frameType.goaway:
    case frameType.maxPushId:
    case frameType.priorityUpdate:
    case frameType.pushPriorityUpdate:
      throw unexpected(`the frame ${type}`, "on a stream of a request");
    case frameType.webTransport:
      if (rules.takesWebTransport === true && phase === "head") return "rest";
      rules.idleFrame(size);
      return "skipped";
    default:
      if (http2FrameTypes.has(type)) throw unexpected(`the frame ${type} of HTTP/2`, "on a stream of a request");
      rules.idleFrame(size);
      return "skipped";
  }
}

function unexpected(what: string, where: string): Http3ConnError {
  return new Http3ConnError(errorCode.frameUnexpected, `it sent ${what} ${where}`);
}
