// How the response to a request ended, in one word: what a codec tells, and what an access log says.

/** Of several causes the first one counts. */
export type EndReason =
  /** All of the answer was handed to the client's connection, or a tunnel has ended. */
  | "complete"
  /** The client left before anything of the answer was sent. */
  | "leftWaiting"
  /** The client left while the answer was on its way. */
  | "leftReading"
  /** No head, or no further piece of content, came from the handlets in time: 503, or broken off. */
  | "handleTimeout"
  /** The client took nothing of the answer for too long: broken off. */
  | "writeTimeout"
  /** The request's content did not come in time, whatever was answered to it: mostly 408. */
  | "contentTimeout"
  /** A handlet or reviser broke the answer off, or failed when its head had been sent. */
  | "aborted"
  /** The server shut down, and did not wait any longer. */
  | "shutdown";
