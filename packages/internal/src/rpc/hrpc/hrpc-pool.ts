// The sessions of hrpc with one node: few, each with many calls at once.
//
//   take ── a session with room, the one that has least to do ──> it
//     └──── none: another is dialled, if there may be more; the call waits until one has room, or its own deadline

import type { OnReadOpts, Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import {
  Callee,
  goAwayCodes,
  initialSettings,
  NotBegunError,
  reasonOf,
  Session,
  type CalledStream,
  type MessageCompression,
} from "@hemi/common/rpc";
import type { NodePool } from "../../backend/node.ts";
import type { Dialled } from "../../backend/dial.ts";
import { maxFrameSize } from "./hrpc-conn.ts";
import { HrpcSocket, type HrpcTimeouts } from "./hrpc-socket.ts";

/** What a pool needs, all of it read when used. */
export interface HrpcPoolOptions {
  readonly timeouts: HrpcTimeouts;
  /** Sessions with the node at a time. */
  readonly maxConns: () => number;
  readonly compression: MessageCompression;
  readonly dial: (onread: OnReadOpts) => Dialled;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Serves calls of the node. Default: they are refused. */
  readonly serve?: (stream: CalledStream, session: Session) => void;
  /** Of a message of such a call, in bytes. */
  readonly maxMessageSize: () => number;
  /** A fault of ours. */
  readonly failed: (error: unknown) => void;
}

export class HrpcPool implements NodePool {
  readonly #options: HrpcPoolOptions;
  readonly #conns = new Set<HrpcSocket>();
  /** Calls that have no session yet, in the order of their coming. */
  readonly #waiting = new Set<PromiseWithResolvers<Session>>();
  #isClosed = false;

  constructor(options: HrpcPoolOptions) {
    this.#options = options;
  }

  /**
   * A session with room for a call. Rejects with NotBegunError if the node cannot be reached, with the reason of the
   * signal once that is aborted.
   */
  async take(signal: AbortSignal): Promise<Session> {
    for (;;) {
      signal.throwIfAborted();
      const session = this.#leastBusy() ?? (await this.#wait(signal));
      // Another call may have taken the room meanwhile.
      if (session.room > 0) return session;
    }
  }

  /** A session with room for a call, if there is one now. */
  get free(): Session | undefined {
    return this.#leastBusy();
  }

  /** Whether it has no session and nobody waits for one. */
  get isIdle(): boolean {
    return this.#conns.size === 0 && this.#waiting.size === 0;
  }

  /** Ends what is idle, and the rest as soon as it is. */
  close(): void {
    this.#isClosed = true;
    // What leaves has no room for them any more.
    this.#refuseWaiting(shutsDown);
    for (const { session } of this.#conns) session.drain();
  }

  /** Ends all calls. */
  destroy(): void {
    this.#isClosed = true;
    this.#refuseWaiting(shutsDown);
    for (const conn of this.#conns) conn.session.close(goAwayCodes.none, "");
    for (const conn of this.#conns) conn.destroy();
  }

  async #wait(signal: AbortSignal): Promise<Session> {
    if (this.#isClosed) throw new NotBegunError(shutsDown);
    const waiter = Promise.withResolvers<Session>();
    const abort = (): void => {
      this.#waiting.delete(waiter);
      waiter.reject(reasonOf(signal));
    };
    this.#waiting.add(waiter);
    signal.addEventListener("abort", abort);
    this.#dialIfNeeded();
    try {
      return await waiter.promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #leastBusy(): Session | undefined {
    let least: Session | undefined;
    for (const { session } of this.#conns) {
      if (!session.isEstablished || session.room === 0) continue;
      if (least === undefined || session.streamCount < least.streamCount) least = session;
    }
    return least;
  }

  #changed(conn: HrpcSocket): void {
    conn.settle();
    const { session } = conn;
    if (!session.isEstablished) {
      // What cannot be reached now will not be in a moment: calls that can go elsewhere should.
      if (session.isClosed) this.#refuseWaiting(session.endReason);
      return;
    }
    let { room } = session;
    for (const waiter of this.#waiting) {
      if (room-- <= 0) break;
      this.#waiting.delete(waiter);
      waiter.resolve(session);
    }
    this.#dialIfNeeded();
  }

  /** What a session takes is known once it stands: another one is dialled only then. */
  #dialIfNeeded(): void {
    if (this.#waiting.size === 0 || this.#isClosed) return;
    const conns = [...this.#conns].map(({ session }) => session);
    if (conns.some((session) => !session.isEstablished && !session.isLeaving)) return;
    // Those that leave take nothing more from anybody.
    if (conns.filter((session) => !session.isLeaving).length < this.#options.maxConns()) this.#dial();
  }

  #dial(): void {
    const { timeouts, makeDeadline, compression, serve, maxMessageSize, failed } = this.#options;
    let isDialled = false;
    const conn = new HrpcSocket({
      open: (onread) => this.#open(onread),
      timeouts,
      makeDeadline,
      makeSession: (carrier) => {
        const session: Session = new Session({
          role: "client",
          carrier,
          settings: { maxStreams: serve === undefined ? 0 : 100, credit: initialSettings.credit, maxFrameSize },
          compression,
          callee:
            serve === undefined ? undefined : new Callee({ serve: (stream) => serve(stream, session), maxMessageSize }),
          // The first change comes while the session is made.
          changed: () => {
            if (isDialled) this.#changed(conn);
          },
          failed,
        });
        return session;
      },
      closed: () => this.#closed(conn),
      failed,
    });
    isDialled = true;
    this.#conns.add(conn);
  }

  #open(onread: OnReadOpts): Socket {
    return this.#options.dial(onread).socket;
  }

  #closed(conn: HrpcSocket): void {
    this.#conns.delete(conn);
    this.#dialIfNeeded();
  }

  #refuseWaiting(reason: string): void {
    for (const waiter of [...this.#waiting]) waiter.reject(new NotBegunError(reason));
    this.#waiting.clear();
  }
}

const shutsDown = "the connection is not used any more";
