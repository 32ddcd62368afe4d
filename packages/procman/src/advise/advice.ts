// Advice: what to change, and why, with the value that was measured.

import type { Facts } from "./facts.ts";

export interface Advice {
  /** The component or the worker that it is about, such as `http1Backend.api`; `machine` for the machine. */
  readonly about: string;
  /** What was found, with numbers. */
  readonly found: string;
  /** What to do. */
  readonly change: string;
}

/** Looks for one thing. */
export type AdviceRule = (facts: Facts) => readonly Advice[];

/** `1,234 connections` */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
