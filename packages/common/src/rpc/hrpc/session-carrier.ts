// What carries the bytes of a session, and what bounds the frames of its peer that bring nothing.

import type { FrameTarget } from "./frame-output.ts";

/** What carries the bytes of a session: a socket, a WebSocket. */
export interface SessionCarrier extends FrameTarget {
  /** The peer reads more slowly than is written. */
  readonly isBlocked: boolean;
  /** Settles when the peer has read, or is gone. */
  drained(): Promise<void>;
  /** Closes the connection when all that was written is sent. Further input is ignored. */
  close(): void;
}

/** A budget for frames that bring nothing. */
export interface FloodLimit {
  /** False: there were too many. */
  spend(amount: number): boolean;
  earn(amount: number): void;
}
