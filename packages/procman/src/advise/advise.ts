// Gathers facts of a running program for some time, and advises on them.

import { setTimeout as sleep } from "node:timers/promises";
import type { CountReport } from "@hemi/hemi/base";
import type { ProgramBackend } from "../backends/backend-actions.ts";
import { readPeriod } from "../observe/profile-order.ts";
import type { Advice } from "./advice.ts";
import { adviceOn } from "./all-rules.ts";
import { factsOf, type ComponentLimits, type Facts } from "./facts.ts";
import { machineFacts, machineState } from "./machine.ts";

export interface AdviceOrder {
  /** How long is counted, in ms. */
  readonly period: number;
}

export interface AdviceReport {
  readonly advice: readonly Advice[];
  /** What it is based on. */
  readonly facts: Facts;
}

/** The program, as far as advice needs it. */
export interface AdvisedProgram {
  counts(): Promise<CountReport>;
  backends(): Promise<readonly ProgramBackend[]>;
  limits(): Promise<readonly ComponentLimits[]>;
}

export async function advise(program: AdvisedProgram, { period }: AdviceOrder): Promise<AdviceReport> {
  const [stateBefore, before] = await Promise.all([machineState(), program.counts()]);
  const began = performance.now();
  await sleep(period);
  const [stateAfter, after, backends, limits] = await Promise.all([
    machineState(),
    program.counts(),
    program.backends(),
    program.limits(),
  ]);
  const time = (performance.now() - began) / 1000;
  const machine = machineFacts(stateBefore, stateAfter);
  const facts = factsOf({ before, after, time, machine, backends, limits });
  return { advice: adviceOn(facts), facts };
}

/** Checks what a client of the control socket sends. Throws HEMI_USAGE. */
export function readAdviceOrder(params: unknown): AdviceOrder {
  const given = typeof params === "object" && params !== null && "period" in params ? params.period : undefined;
  return { period: readPeriod(given) };
}
