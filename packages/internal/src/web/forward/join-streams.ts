// Two streams of bytes made one: what comes on one goes out on the other, both ways, each side at the pace of the other.

import type { Duplex } from "node:stream";
import type { Deadline } from "@hemi/common";

export interface JoinOptions {
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** In ms, looked at again whenever something has come: both are destroyed once nothing has for so long. */
  readonly idleTimeout: () => number;
}

/** Joins two paused streams that may be shut on one side. Ended is what has ended on both, or has broken off on one. Returns what makes `idleTimeout` count anew. */
export function joinStreams(one: Duplex, other: Duplex, { makeDeadline, idleTimeout }: JoinOptions): () => void {
  let open = 2;
  const deadline = makeDeadline(() => {
    one.destroy();
    other.destroy();
  });
  const moved = (): void => {
    if (open > 0) deadline.set(idleTimeout());
  };
  const link = (from: Duplex, to: Duplex): void => {
    from.on("data", moved);
    from.pipe(to);
    // What went wrong is of no use: "close" follows.
    from.on("error", noop);
    from.on("close", () => {
      // What has ended in order on both ways may have something left to send on the other side.
      if (!from.readableEnded || !from.writableFinished) to.destroy();
      if (--open === 0) deadline.clear();
    });
    if (from.destroyed) to.destroy();
  };
  moved();
  link(one, other);
  link(other, one);
  return moved;
}

function noop(): void {}
