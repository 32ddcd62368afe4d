// Time in which the process runs: for work that gets a limited time. While the whole process stands (a signal, a
// snapshot of the machine, no processor to be had), none of that work gets done. When it goes on, timers are due at
// once, before the loop has read what has arrived meanwhile.

/**
 * Calls `over` when the process has run for `ms` milliseconds; each pause counts for a quarter of them at most. Keeps
 * the process alive until then. The returned function forgets it.
 */
export function afterRunning(ms: number, over: () => void): () => void {
  const slice = Math.min(Math.max(ms, 0) / slices, maxTimer);
  let left = ms;
  let last = performance.now();
  let timer = setTimeout(look, slice);
  function look(): void {
    const now = performance.now();
    left -= Math.min(now - last, 2 * slice);
    last = now;
    if (left > 0) timer = setTimeout(look, Math.min(slice, left));
    else over();
  }
  return () => clearTimeout(timer);
}

const slices = 8;
/** In milliseconds: 24 days. */
const maxTimer = 2 ** 31 - 1;
