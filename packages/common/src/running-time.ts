// Time in which the process runs: for work that gets a limited time. While the whole process stands (a signal, a
// snapshot of the machine, no processor to be had), none of that work gets done. When it goes on, timers are due at
// once, before the loop has read what has arrived meanwhile.

/** What such a time means for the process. */
export interface RunningTimeOptions {
  /** Whether the process lives until the time is over. Default: true. */
  readonly keepsAlive?: boolean;
}

/**
 * Calls `over` when the process has run for `ms` milliseconds; each pause counts for a quarter of them at most. The
 * returned function forgets it.
 */
export function afterRunning(ms: number, over: () => void, options?: RunningTimeOptions): () => void {
  const look = (ran: number): void => {
    if (ran >= ms) over();
  };
  return whileRunning(ms, 8, look, options);
}

/**
 * Calls `look` after each of `slices` parts of `ms` milliseconds, with how long the process has run until then: at last
 * with `ms` or more. Each pause counts for two slices at most. The returned function ends it.
 */
export function whileRunning(
  ms: number,
  slices: number,
  look: (ran: number) => void,
  { keepsAlive = true }: RunningTimeOptions = {},
): () => void {
  const slice = Math.min(Math.max(ms, 0) / slices, maxTimer);
  let ran = 0;
  let last = performance.now();
  let timer: NodeJS.Timeout;
  wait(slice);
  function wait(time: number): void {
    timer = setTimeout(sliceOver, time);
    if (!keepsAlive) timer.unref();
  }
  function sliceOver(): void {
    const now = performance.now();
    ran += Math.min(now - last, 2 * slice);
    last = now;
    if (ran < ms) wait(Math.min(slice, ms - ran));
    look(ran);
  }
  return () => clearTimeout(timer);
}

/** In milliseconds: 24 days. */
const maxTimer = 2 ** 31 - 1;
