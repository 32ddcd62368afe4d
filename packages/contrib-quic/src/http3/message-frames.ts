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
  /** Whether streams may belong to WebTransport. */
  readonly takesWebTransport: boolean;
  /** In bytes: a larger field section is skipped. */
  readonly maxSection: number;
  /** Told of a frame that means nothing to us, and of its size in bytes. */
  readonly idleFrame: (size: number) => void;
  /** Told of a field section that is too large. */
  readonly tooLarge: () => void;
}

/** How a frame of a message is read. Throws H3_FRAME_UNEXPECTED, and H3_ID_ERROR for a push. */
export function treatMessageFrame(
  type: number,
  size: number,
  phase: MessagePhase,
  { reads, takesWebTransport, maxSection, idleFrame, tooLarge }: MessageFrameRules,
): FrameTreatment {
  switch (type) {
    case frameType.data:
      if (phase !== "content") throw unexpected("DATA", phase === "head" ? "before HEADERS" : "behind trailers");
      if (size === 0) idleFrame(0);
      return "pieces";
    case frameType.headers:
      if (phase === "trailers") throw unexpected("HEADERS", "behind trailers");
      if (size <= maxSection) return "whole";
      tooLarge();
      return "skipped";
    case frameType.pushPromise:
      // RFC 9114 7.2.5: a client that has sent no MAX_PUSH_ID allows no id of a push.
      if (reads === "responses")
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
      if (takesWebTransport && phase === "head") return "rest";
      idleFrame(size);
      return "skipped";
    default:
      if (http2FrameTypes.has(type)) throw unexpected(`the frame ${type} of HTTP/2`, "on a stream of a request");
      idleFrame(size);
      return "skipped";
  }
}

function unexpected(what: string, where: string): Http3ConnError {
  return new Http3ConnError(errorCode.frameUnexpected, `it sent ${what} ${where}`);
}
