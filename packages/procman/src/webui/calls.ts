// What the process of the web UI asks the leader.

import type { DescribedProp, Walk } from "@hemi/hemi";
import type { ProgramBackend } from "../backends/backend-actions.ts";
import type { CandidateReport, ComponentPage, ExplainParams } from "../channel/calls.ts";
import type { LeaderStatus, PlanReport, WorkerStatus } from "../control/actions.ts";
import type { Activity } from "../observe/activity.ts";
import type { History } from "../observe/history.ts";
import type { LogLines, LogOrder } from "../observe/log-order.ts";
import type { WorkerStory } from "../observe/story-text.ts";
import type { AuditEntry } from "./audit.ts";
import type { TailEntry } from "./log-tail.ts";
import type { Numbered } from "./numbered-list.ts";

/** Served by the leader. */
export interface LeaderViewCalls {
  readonly settings: { readonly params: undefined; readonly result: UISettings };
  /** The next connection of a browser comes along with the answer. The one before is closed in the leader then. */
  readonly conn: { readonly params: undefined; readonly result: null };
  /** How the program is at this moment, and what has happened since. */
  readonly pulse: { readonly params: PulseParams; readonly result: Pulse };
  /** Entries behind those numbers, as far as they are kept. */
  readonly entries: { readonly params: PulseParams; readonly result: Pick<Pulse, "log" | "audit"> };
  /** The last 15 minutes of a component, a worker, or a sum; `null`: nothing is known. */
  readonly history: { readonly params: { readonly path: string }; readonly result: History | null };
  /** The components from a number on, as many as fit into a message. */
  readonly components: { readonly params: { readonly from: number }; readonly result: ComponentPage };
  /** The props of a component; `null`: there is none with this path. */
  readonly props: { readonly params: { readonly path: string }; readonly result: readonly DescribedProp[] | null };
  /** The files of the running configuration; the first one is the main file. */
  readonly files: { readonly params: undefined; readonly result: readonly ConfigFile[] };
  /** Checks a text in place of the main file; without one, the files as they are on the disk. */
  readonly candidate: { readonly params: { readonly text: string | undefined }; readonly result: CandidateView };
  /** Follows the requests that a filter lets through: see the action of this name. */
  readonly logs: { readonly params: LogOrder; readonly result: LogLines };
  readonly trace: { readonly params: { readonly requestId: string }; readonly result: WorkerStory };
  readonly explain: { readonly params: ExplainParams; readonly result: Walk };
  /** Calls an action of the control protocol. */
  readonly act: {
    readonly params: { readonly name: string; readonly params: unknown; readonly by: string };
    readonly result: unknown;
  };
}

export interface UISettings {
  /** Of the program. */
  readonly title: string;
  readonly host: string;
  readonly port: number;
  /** What the link has. */
  readonly token: string;
  /** The key that sessions are signed with, in base64. */
  readonly sessionKey: string;
  readonly logFormat: "text" | "json";
  readonly logFile: string | undefined;
}

export interface PulseParams {
  /** The numbers of the last entries that are known. */
  readonly logAfter: number;
  readonly auditAfter: number;
}

export interface Pulse {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Changes with each new configuration. */
  readonly generation: number;
  readonly leader: LeaderStatus;
  readonly workers: readonly WorkerStatus[];
  /** Components without traffic are left out, and so are those beyond a number. */
  readonly activity: Activity;
  readonly backends: readonly ProgramBackend[];
  readonly log: readonly Numbered<TailEntry>[];
  readonly audit: readonly Numbered<AuditEntry>[];
}

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** What is wrong with a candidate, or what it would change. */
export interface CandidateView extends Omit<CandidateReport, "plan" | "texts"> {
  /** What was checked. */
  readonly files: readonly ConfigFile[];
  /** `undefined`: it cannot be used. */
  readonly plan: PlanReport | undefined;
}
