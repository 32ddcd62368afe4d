// What `hemi log-level` asks for: another minimum level of the error log, for a while.

import { HemiError, logLevels, type LogLevel, type PathLevel } from "@hemi/hemi/base";

export interface LevelOrder {
  /** `null`: that of the program again. Without it, nothing is changed. */
  readonly level?: LogLevel | null;
  /** The component, such as `webapp.shop`, with what stands in it. Default: everything. */
  readonly path?: string;
  /** How long, in ms. Default: 5 minutes. */
  readonly period?: number;
}

/** A level that is in force. */
export interface TimedLevel extends PathLevel {
  /** When it ends, in ms since the epoch. */
  readonly until: number;
}

/** Checks what a client sends. Throws HEMI_USAGE. */
export function readLevelOrder(params: unknown): LevelOrder {
  const given: Readonly<Record<string, unknown>> = typeof params === "object" && params !== null ? { ...params } : {};
  const { level, path, period } = given;
  const known = level === null ? null : logLevels.find((one) => one === level);
  if (level !== undefined && known === undefined) {
    throw new HemiError("HEMI_USAGE", `level is one of ${logLevels.join(", ")}, or null`);
  }
  if (path !== undefined && typeof path !== "string") {
    throw new HemiError("HEMI_USAGE", "path is the path of a component");
  }
  if (period !== undefined && !(typeof period === "number" && period > 0 && period <= maxPeriod)) {
    throw new HemiError("HEMI_USAGE", `period is a number of ms up to ${maxPeriod}`);
  }
  return {
    ...(known === undefined ? {} : { level: known }),
    ...(path === undefined ? {} : { path }),
    ...(period === undefined ? {} : { period }),
  };
}

/** `debug for webapp.shop until 12:00:00 UTC` */
export function levelText({ path, level, until }: TimedLevel): string {
  return `${level} for ${path === "" ? "everything" : path} until ${new Date(until).toISOString().slice(11, 19)} UTC`;
}

/** A day, in ms: a level that is forgotten shall not fill the disk. */
const maxPeriod = 86_400_000;
