// What is done at the end of a turn of the event loop: sending what was written in it.

export interface Due {
  /** It is among those that are flushed at the end of this turn. Only this file changes it. */
  isDue: boolean;
  flush(): void;
}

let due: Due[] = [];

/** Flushes it when all that came in this turn of the event loop has been looked at. */
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
