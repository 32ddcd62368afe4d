// What `hemi cron` and others who steer a program may do with its cronjobs.

import { setImmediate } from "node:timers/promises";
import { nearestNames } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import { capability, type Capability } from "../../component/capability.ts";
import type { RunRecord } from "./run-history.ts";

/** Offered by cronjobs that run by a schedule. Times are in milliseconds since the epoch. */
export interface ManagedCronjob {
  /** As it is written. */
  readonly schedule: string;
  /** The IANA time zone; `undefined`: that of the machine. */
  readonly zone: string | undefined;
  /** Whether this process runs it at this moment. */
  readonly isRunning: boolean;
  /** The first time after this one; `undefined`: there is none any more. */
  nextTime(after: number): number | undefined;
  /** The last runs on this machine, latest last. */
  history(): Promise<readonly RunRecord[]>;
  /** Runs it now, and resolves when it has ended. Rejects with HEMI_USAGE if it is running. */
  runNow(): Promise<RunRecord>;
}

/** A definition of a cronjob offers it with `offers: [managedCronjob]`. */
export const managedCronjob = capability<ManagedCronjob>("managed-cronjob");

/** A cronjob of a running stage, as plain data. */
export interface CronjobStatus {
  /** In the configuration. */
  readonly name: string;
  /** In the configuration, such as `commandCronjob`. */
  readonly sign: string;
  /** As it is written. */
  readonly schedule: string;
  /** `null`: the zone of the machine. */
  readonly zone: string | null;
  /** Whether it runs at this moment. */
  readonly isRunning: boolean;
  /** `null`: there is none any more. */
  readonly next: number | null;
  /** The last run; `null`: none is known. */
  readonly last: RunRecord | null;
}

/** The times of one cronjob. */
export interface CronjobTimes {
  /** In the configuration. */
  readonly name: string;
  /** `null`: the zone of the machine. */
  readonly zone: string | null;
  /** In milliseconds since the epoch, in order. */
  readonly times: readonly number[];
  /** Whether there are more. */
  readonly isCut: boolean;
}

/** The runs of one cronjob, latest last. */
export interface CronjobHistory {
  /** In the configuration. */
  readonly name: string;
  /** On this machine. */
  readonly runs: readonly RunRecord[];
}

/** What is needed of a stage. */
export interface CronjobStage {
  offering(capability: Capability<ManagedCronjob>): readonly {
    readonly name: string;
    readonly path: string;
    readonly part: ManagedCronjob;
  }[];
}

/** All cronjobs, in the order of the text. */
export async function listCronjobs(stage: CronjobStage, now: number): Promise<readonly CronjobStatus[]> {
  return await Promise.all(
    stage.offering(managedCronjob).map(async ({ name, path, part }) => {
      const { schedule, zone = null, isRunning } = part;
      const last = (await part.history()).at(-1) ?? null;
      return { name, sign: signOf(path), schedule, zone, isRunning, next: part.nextTime(now) ?? null, last };
    }),
  );
}

/** Which times. */
export interface PreviewOptions {
  readonly from: number;
  readonly to: number;
  /** How many of each cronjob; of many cronjobs, fewer: 40,000 together. */
  readonly max: number;
  /** Of one cronjob only. */
  readonly name?: string | undefined;
}

/**
 * Their times from `from` up to `to`, while the event loop goes on. Rejects with HEMI_USAGE if there is none of this
 * name.
 */
export async function previewCronjobs(stage: CronjobStage, options: PreviewOptions): Promise<readonly CronjobTimes[]> {
  const { from, to, max, name } = options;
  const jobs = named(stage, name);
  const maxTimes = shareOf(Math.min(max, maxPreviewed), maxPreviewed, jobs.length);
  const previews: CronjobTimes[] = [];
  for (const { name, part } of jobs) {
    const times: number[] = [];
    let next = part.nextTime(from - 1);
    while (next !== undefined && next < to && times.length < maxTimes) {
      times.push(next);
      if (times.length % timesInTurn === 0) await setImmediate();
      next = part.nextTime(next);
    }
    previews.push({ name, zone: part.zone ?? null, times, isCut: next !== undefined && next < to });
  }
  return previews;
}

/** Runs one now. Rejects with HEMI_USAGE if there is none of this name, or if it is running. */
export async function runCronjob(stage: CronjobStage, name: string): Promise<RunRecord> {
  const [job] = named(stage, name);
  if (job === undefined) throw new HemiError("HEMI_USAGE", `there is no cronjob ${name}`);
  return await job.part.runNow();
}

/** Their last runs, at most 100 of each. Rejects with HEMI_USAGE if there is none of this name. */
export async function cronjobHistories(stage: CronjobStage, name?: string): Promise<readonly CronjobHistory[]> {
  const jobs = named(stage, name);
  const max = shareOf(100, maxTold, jobs.length);
  return await Promise.all(jobs.map(async ({ name, part }) => ({ name, runs: (await part.history()).slice(-max) })));
}

/** How many of `most` each of `count` may have, of `all` together. */
function shareOf(most: number, all: number, count: number): number {
  return Math.max(1, Math.min(most, Math.floor(all / Math.max(1, count))));
}

function named(stage: CronjobStage, name: string | undefined): ReturnType<CronjobStage["offering"]> {
  const all = stage.offering(managedCronjob);
  if (name === undefined) return all;
  const found = all.filter((job) => job.name === name || job.path === name);
  if (found.length > 0) return found;
  const names = all.map((job) => job.name);
  const [nearest] = nearestNames(name, names);
  const known = names.length === 0 ? "the program has none" : `there are: ${names.join(", ")}`;
  const hint = nearest === undefined ? known : `did you mean ${nearest}?`;
  throw new HemiError("HEMI_USAGE", `there is no cronjob ${name}; ${hint}`);
}

function signOf(path: string): string {
  return path.slice(0, path.indexOf("."));
}

/** Some milliseconds. */
const timesInTurn = 50;
/** What fits into one message of the control protocol. */
const maxPreviewed = 40_000;
const maxTold = 500;
