// Lets the cases of the suite begin one after the other: a case may begin while few requests are under way, and one
// that has begun waits for no other. With all at once, what is fresh for two seconds would become stale on a busy
// machine between two requests of a case.

import type { plainFetch } from "./plain-fetch.ts";

type Fetch = typeof plainFetch;

/** A case first tells the suite's server what to answer, below `/config/`. */
export function spreadCases(fetch: Fetch): Fetch {
  let underWay = 0;
  const waiting: (() => void)[] = [];

  return async function fetchInTurn(url, init) {
    const begins = new URL(url).pathname.startsWith("/config/");
    if (begins && underWay >= maxUnderWay) await new Promise<void>((resolve) => waiting.push(resolve));
    underWay++;
    try {
      return await fetch(url, init);
    } finally {
      underWay--;
      // The next request of this case comes first: it is sent before the next turn.
      setImmediate(beginNext);
    }
  };

  function beginNext(): void {
    if (underWay < maxUnderWay) waiting.shift()?.();
  }
}

const maxUnderWay = 8;
