// What the leader of a program and the one that takes over from it ask of each other.
//
//   old leader                                new leader
//   ──────────                                ──────────
//   starts it                        ───────> greet: compares the versions of this protocol
//   serves on                        ───────> prepare: gets sockets and state, starts its workers
//   answers for tokens, strikes, locks <───── asks for its workers
//   lets orders wait, closes the web UI,
//   appoints no primary worker more  ───────> limits, locks: from then on the new one has them
//                                    ───────> lead: takes the control socket, the pid file, and systemd
//   passes orders on                 ───────> act
//   lets its workers finish          <──────> broadcasts, counts
//   asks for its workers             ───────> tokens, strikes, locks
//   passes the lines of its log on   ───────> leaderLogged
//   ends                             ───────> counted
//
// Whatever goes wrong before `lead` is done, the new leader ends and the old one continues.

import { HemiError, type CountNews, type LogEntry, type NodeOrder } from "@hemi/hemi/base";
import type { WorkerStatus } from "../control/actions.ts";
import type { TimedLevel } from "../observe/level-order.ts";
import type { SocketList, SocketName } from "../leader/socket-list.ts";
import type { Broadcast, FollowedLines, Following, RunningConfig } from "./calls.ts";
import type { PassedLimits, PassedLocks, SharedCalls } from "./shared-calls.ts";

/** Both leaders must have the same one. */
export const handoverVersion = 6;

/** Throws HEMI_PROCESS if the other leader speaks another version. `theirs` may be anything. */
export function assertSameHandover(theirs: unknown): void {
  if (theirs === handoverVersion) return;
  const other = typeof theirs === "number" ? `version ${theirs}` : "an unknown version";
  throw new HemiError(
    "HEMI_PROCESS",
    `the other leader speaks ${other} of the protocol between leaders, and this one version ${handoverVersion}; hemi rework replaces the workers, and a new leader needs a restart of the program`,
  );
}

/** The state of a program, as plain data. Sockets follow one by one: see `PredecessorCalls.socket`. */
export interface Handover {
  /** How many workers it keeps. */
  readonly workers: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly reloads: number;
  /** What the new workers boot: never files that have been edited since. */
  readonly running: RunningConfig;
  /** In base64, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What operators have ordered for nodes of backends. */
  readonly nodeOrders: readonly NodeOrder[];
  readonly sockets: SocketList;
}

/** What changes while the new leader gets ready: read when it does. */
export interface LastState {
  /** What operators have ordered for nodes of backends. */
  readonly nodeOrders: readonly NodeOrder[];
  /** Minimum levels of the error log that operators have ordered for a while. */
  readonly logLevels: readonly TimedLevel[];
  /** Who follows the traffic. */
  readonly followers: readonly Following[];
}

/** Served by the new leader. */
export interface SuccessorCalls extends SharedCalls {
  readonly greet: { readonly params: { readonly version: number }; readonly result: { readonly version: number } };
  /** Starts all workers. Rejects if one does not get ready. */
  readonly prepare: { readonly params: Handover; readonly result: undefined };
  readonly limits: { readonly params: PassedLimits; readonly result: undefined };
  readonly locks: { readonly params: PassedLocks; readonly result: undefined };
  /** Leads the program from now on. */
  readonly lead: { readonly params: LastState; readonly result: undefined };
  /** A call of a client that has reached the old leader. */
  readonly act: { readonly params: { readonly name: string; readonly params: unknown }; readonly result: unknown };
  /** A secret that all workers share has been replaced. */
  readonly secret: { readonly params: { readonly name: string; readonly secret: string }; readonly result: undefined };
  /** A message of a worker of the old leader. */
  readonly deliver: { readonly params: Broadcast; readonly result: undefined };
  /** Access lines of the old leader, or of a worker of its. */
  readonly accessLines: { readonly params: FollowedLines; readonly result: undefined };
  /** Lines of the old leader's error log, as in `WorkerCalls`. Rejects if no worker is ready. */
  readonly leaderLogged: { readonly params: readonly LogEntry[]; readonly result: undefined };
  /** Tells by `counted` what its workers have counted, before it answers. */
  readonly count: { readonly params: undefined; readonly result: undefined };
  /** What the workers of the old leader have counted. */
  readonly counted: { readonly params: CountNews; readonly result: undefined };
}

/** Served by the old leader. */
export interface PredecessorCalls extends SharedCalls {
  /** A listening socket comes along with the answer. */
  readonly socket: { readonly params: SocketName; readonly result: undefined };
  /** The socket of `--admin` comes along with the answer; `null`: there is none. */
  readonly adminSocket: { readonly params: undefined; readonly result: { readonly address: string } | null };
  /** A message of a worker of the new leader. */
  readonly deliver: { readonly params: Broadcast; readonly result: undefined };
  /** Tells by `counted` what its workers have counted, before it answers. */
  readonly count: { readonly params: undefined; readonly result: undefined };
  /** What the workers of the new leader have counted. */
  readonly counted: { readonly params: CountNews; readonly result: undefined };
  /** Its workers, which finish their work. */
  readonly workers: { readonly params: undefined; readonly result: readonly WorkerStatus[] };
  /** Ends at once. */
  readonly stop: { readonly params: undefined; readonly result: undefined };
}
