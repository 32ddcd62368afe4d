// Work at the end of a turn of the event loop: sends the output that was written in the turn.

export interface Due {
  /** Whether it is flushed at the end of this turn. Only this file changes it. */
  isDue: boolean;
  flush(): void;
}

let due: Due[] = [];

/** Flushes the output after all events of this turn of the event loop. */
export function flushAtEndOfTurn(output: Due): void {
  if (output.isDue) return;
  output.isDue = true;
  if (due.push(output) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const outputs = due;
  due = [];
  for (const output of outputs) {
    output.isDue = false;
    output.flush();
  }
}
