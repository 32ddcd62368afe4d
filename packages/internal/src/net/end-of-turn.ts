// Work at the end of a turn of the event loop: sends the output that was written in the turn.

/** Output that is sent at the end of the turn of the event loop in which it was written. */
export interface Due {
  /** Whether it is flushed at the end of this turn. Only this file changes it. */
  isDue: boolean;
  /** Sends it. Must not throw. */
  flush(): void;
}

let due: Due[] = [];
let after: (() => void)[] = [];
let isPlanned = false;
let turn = 0;

/** Flushes the output after all events of this turn of the event loop. */
export function flushAtEndOfTurn(output: Due): void {
  if (output.isDue) return;
  output.isDue = true;
  due.push(output);
  if (!isPlanned) plan();
}

/** Runs this once, when the output of this turn has been sent. It must not throw. */
export function runAfterTurn(work: () => void): void {
  after.push(work);
  if (!isPlanned) plan();
}

/** Numbers the turns: what was found in one holds for all that is sent at its end. */
export function turnNumber(): number {
  if (!isPlanned) plan();
  return turn;
}

function plan(): void {
  isPlanned = true;
  turn = (turn + 1) | 0;
  setImmediate(endTurn);
}

function endTurn(): void {
  const outputs = due;
  const works = after;
  due = [];
  after = [];
  isPlanned = false;
  for (const output of outputs) {
    output.isDue = false;
    output.flush();
  }
  for (const work of works) work();
}
