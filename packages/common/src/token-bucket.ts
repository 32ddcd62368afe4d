// A token bucket as one number: the generic cell rate algorithm of ATM (ITU-T I.371).
//
//   arrival     |        each token moves it on by one interval; it is never before now
//   now ────────┼───────> time
//               └── while it is at most `burst` intervals ahead of now, there are tokens left
//
// A bucket whose arrival has passed is full: it need not be remembered.

/** How fast tokens come, and how many there can be. */
export interface TokenRate {
  /** Between two tokens, in milliseconds; may be a fraction. */
  readonly interval: number;
  /** How many tokens a full bucket has. */
  readonly burst: number;
}

/** What was taken out of a bucket. */
export interface BucketTake {
  /** The new state of the bucket: an arrival, on the clock of `now`. */
  readonly arrival: number;
  /** How many tokens were granted: 0 to `wanted`. */
  readonly granted: number;
  /** How many tokens are left. */
  readonly remaining: number;
  /** In milliseconds, until there is a token; 0 if there is one. */
  readonly retryAfter: number;
  /** In milliseconds, until the bucket is full. */
  readonly fullAfter: number;
}

/**
 * Takes `spent` tokens in any case, so that the bucket may go into debt; a negative number gives tokens back. Then it
 * takes as many of `wanted` as there are. `arrival`: the state of the bucket, `undefined` for a full one. `now`: in
 * milliseconds of any clock that only goes on.
 */
export function takeFromBucket(
  arrival: number | undefined,
  { interval, burst }: TokenRate,
  { wanted, spent }: { readonly wanted: number; readonly spent: number },
  now: number,
): BucketTake {
  const before = arrival === undefined || arrival < now ? now : arrival;
  const owed = Math.max(now, before + spent * interval);
  // Intervals are seldom whole: what is short by rounding only is not short.
  const free = Math.floor(burst - (owed - now) / interval + tolerance);
  const granted = Math.max(0, Math.min(wanted, free));
  const moved = owed + granted * interval;
  const remaining = Math.max(0, free - granted);
  return {
    arrival: moved,
    granted,
    remaining,
    retryAfter: remaining > 0 ? 0 : Math.max(0, moved - now - (burst - 1) * interval),
    fullAfter: moved - now,
  };
}

/** In intervals. */
const tolerance = 1e-6;
