// Messages of a client that a server does not answer, if they are right.

import { letter } from "./letters.ts";
import { headSize, ProtocolError } from "./messages.ts";

/**
 * Throws a ProtocolError for a Flush, CopyDone or CopyFail that is wrong. A server would ignore everything up to the
 * next Sync, or close the connection, which another client may have by then. `size`: that of the whole message.
 */
export function checkUnanswered(type: number, size: number): void {
  if ((type === letter.flush || type === letter.copyDone) && size !== headSize) {
    throw new ProtocolError("a Flush or CopyDone with a body");
  }
  if (type === letter.copyFail && size > maxCopyFail) throw new ProtocolError("too long a reason of CopyFail");
}

/** In bytes. Not a prop: servers take 10,000. */
const maxCopyFail = 9000;
