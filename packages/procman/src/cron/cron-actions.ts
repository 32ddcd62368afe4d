// The actions on the cronjobs of a running program: what a client sends.

import { HemiError } from "@hemi/hemi/base";

/** Which cronjob. */
export interface NamedCronjob {
  readonly name: string;
}

/** Which cronjobs: one, or all. */
export interface ChosenCronjobs {
  readonly name?: string;
}

/** From when until when, in milliseconds since the epoch, and how many times of each cronjob at most. */
export interface CronPreview extends ChosenCronjobs {
  readonly from: number;
  readonly to: number;
  readonly max: number;
}

/** Throws HEMI_USAGE. */
export function readNamedCronjob(params: unknown): NamedCronjob {
  const { name } = readChosenCronjobs(params);
  if (name === undefined) throw new HemiError("HEMI_USAGE", "name is the name of a cronjob");
  return { name };
}

/** Throws HEMI_USAGE. */
export function readChosenCronjobs(params: unknown): ChosenCronjobs {
  const { name } = recordOf(params);
  if (name === undefined) return {};
  if (typeof name !== "string") throw new HemiError("HEMI_USAGE", "name is a text");
  return { name };
}

/** Throws HEMI_USAGE. */
export function readCronPreview(params: unknown): CronPreview {
  const { from, to, max } = recordOf(params);
  if (!isTime(from) || !isTime(to) || from > to) {
    throw new HemiError("HEMI_USAGE", "from and to are times in milliseconds since the epoch, one after the other");
  }
  if (typeof max !== "number" || !Number.isSafeInteger(max) || max < 1 || max > maxPreview) {
    throw new HemiError("HEMI_USAGE", `max is an integer from 1 to ${maxPreview}`);
  }
  return { ...readChosenCronjobs(params), from, to, max };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && Math.abs(value) <= maxTime;
}

function recordOf(params: unknown): Readonly<Record<string, unknown>> {
  return typeof params === "object" && params !== null ? { ...params } : {};
}

/** The times of a year, but for jobs that run more often than each hour. */
export const maxPreview = 10_000;
/** The largest time of a Date. */
const maxTime = 8.64e15;
