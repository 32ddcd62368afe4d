// What `hemi cpu`, `heap` and `report` ask of a worker.

import { isAbsolute } from "node:path";
import { HemiError } from "@hemi/hemi/base";

const profileKinds = ["cpu", "heap", "report"] as const;
export type ProfileKind = (typeof profileKinds)[number];

export interface ProfileOrder {
  readonly kind: ProfileKind;
  readonly slot: number;
  /** The absolute path that the worker writes to; it must not exist. */
  readonly file: string;
  /** cpu: how long it is measured, in ms. */
  readonly period: number;
}

export interface Profile {
  readonly file: string;
  readonly pid: number;
  /** In bytes. */
  readonly size: number;
  /** How long the event loop of the worker stood still for it, in ms. */
  readonly stopped: number;
}

/** Checks what a client of the control socket sends. Throws HEMI_USAGE. */
export function readProfileOrder(params: unknown): ProfileOrder {
  const { kind, slot, file, period }: Partial<Record<keyof ProfileOrder, unknown>> =
    typeof params === "object" && params !== null ? params : {};
  const known = profileKinds.find((one) => one === kind);
  if (known === undefined) throw new HemiError("HEMI_USAGE", `kind is one of ${profileKinds.join(", ")}`);
  if (typeof file !== "string" || !isAbsolute(file)) throw new HemiError("HEMI_USAGE", "file is an absolute path");
  return { kind: known, slot: readSlot(slot), file, period: readPeriod(period) };
}

/** Throws HEMI_USAGE. */
export function readSlot(slot: unknown): number {
  if (typeof slot === "number" && Number.isInteger(slot) && slot >= 0) return slot;
  throw new HemiError("HEMI_USAGE", "slot is the number of a worker");
}

/** In ms. Throws HEMI_USAGE. */
export function readPeriod(period: unknown): number {
  if (typeof period === "number" && period > 0 && period <= maxPeriod) return period;
  throw new HemiError("HEMI_USAGE", `period is a number of ms up to ${maxPeriod}`);
}

/** In ms: samples are kept in memory until the end. */
export const maxPeriod = 600_000;
