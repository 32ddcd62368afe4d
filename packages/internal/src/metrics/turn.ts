// The durations of work that begins and ends in one turn of the event loop. Each of them takes as long as the turn:
// what is ready at its beginning waits for what is before it, and what is written leaves at its end. So the clock is
// read twice for a turn, and not twice for each request.

import { performance } from "node:perf_hooks";
import { runAfterTurn } from "../net/end-of-turn.ts";

/** Counts what began and ended in one turn. */
export interface TurnCounts {
  /** How many did in this turn; 0 between turns. */
  atOnce: number;
  /** In ms. The counts are set back to 0. */
  turnEnded(duration: number): void;
}

let beganAt = 0;
let isOpen = false;
let touched: TurnCounts[] = [];

/** When the present turn began to work, in ticks. */
export function turnTick(): number {
  if (!isOpen) open();
  return beganTick;
}

let beganTick = 0;

function open(): void {
  isOpen = true;
  beganAt = performance.now();
  beganTick = tickOf(beganAt);
  runAfterTurn(close);
}

function close(): void {
  const all = touched;
  isOpen = false;
  touched = [];
  const duration = performance.now() - beganAt;
  for (const counts of all) counts.turnEnded(duration);
}

/**
 * In ms, the time since a tick; or `undefined`, if that is the tick of the present turn: then the duration is counted
 * when the turn ends.
 */
export function timeSince(tick: number, counts: TurnCounts): number | undefined {
  if (!isOpen || tick !== beganTick) return timeSinceTick(tick);
  if (counts.atOnce++ === 0) touched.push(counts);
  return undefined;
}

/** In ms, from the turn of a tick to the present turn: 0 within one. Reads no clock of its own. */
export function turnsSince(tick: number): number {
  return ((turnTick() - tick) | 0) / ticksInMs;
}

/** In ms, also within a turn. */
export function timeSinceTick(tick: number): number {
  return ((tickOf(performance.now()) - tick) | 0) / ticksInMs;
}

/** A whole number of 31 bits needs no object on the heap. It overflows after 37 hours, longer than a request takes. */
function tickOf(time: number): number {
  return (time * ticksInMs) | 0;
}

const ticksInMs = 16;
