// What carries the bytes of a session.

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
