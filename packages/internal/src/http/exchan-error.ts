// What ends an exchan, or its content, from outside.

import { HemiError } from "../errors/hemi-error.ts";

/**
 * Its client left (HEMI_PEER_GONE), was too slow (HEMI_TIMEOUT), or sent broken content or too much of it
 * (HEMI_CONTENT_BROKEN, HEMI_CONTENT_TOO_LARGE); or its handlet was too late (HEMI_TIMEOUT). Uncaught, it is answered
 * by 408, 400, 413, or not at all. The same codes of other peers, such as a backend, are a HemiError only: what they
 * did is not this client's doing.
 */
export class ExchanError extends HemiError {}

/** For who waits until the client has taken what was sent. */
export function clientGone(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the client has closed the connection");
}
