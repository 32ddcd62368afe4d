// Does work under a lock, which is renewed until the work ends.

import type { Lock, LockService } from "./lock-service.ts";

/** How long a lock outlives its holder, and what gives the work up. */
export interface KeepLockOptions {
  /** In milliseconds: so long after the process has ended, others can have the lock. Default: 30 s. */
  readonly ttl?: number;
  /** Gives the work up. */
  readonly signal?: AbortSignal;
}

/**
 * Acquires a lock and runs `work`; resolves with `undefined` if somebody else has it. The signal of `work` aborts when
 * the lock is lost, or when `signal` does. Rejects with the error of the service, or of `work`.
 */
export async function keepLock<Result>(
  locks: LockService,
  name: string,
  work: (signal: AbortSignal, token: number) => Promise<Result>,
  { ttl = 30_000, signal }: KeepLockOptions = {},
): Promise<{ readonly result: Result } | undefined> {
  await using lock = await locks.acquireLock(name, { ttl });
  if (lock === undefined) return undefined;
  const ended = signal === undefined ? lock.signal : AbortSignal.any([lock.signal, signal]);
  const timer = renewed(lock, ttl);
  try {
    return { result: await work(ended, lock.token) };
  } finally {
    clearInterval(timer);
  }
}

/** Thrice in the time of the lock, and once a day at least: one answer may be lost. */
function renewed(lock: Lock, ttl: number): NodeJS.Timeout {
  // If it cannot be renewed, the signal of the lock tells in time.
  return setInterval(() => void lock.renew().catch(() => {}), Math.min(ttl / 3, longestInterval)).unref();
}

/** In milliseconds: timers of Node.js end at once if they are to wait for more than 24 days. */
const longestInterval = 24 * 3_600_000;
