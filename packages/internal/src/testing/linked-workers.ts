// For tests: the workers of a program, all in this process.

import { MemoryRateLimits } from "../stage/limits/memory-rate-limits.ts";
import { LockTable, MemoryLocks } from "../stage/locks/memory-locks.ts";
import { onlyWorker, type Workers } from "../stage/workers.ts";

/**
 * So many workers that hear of each other; the first one is the primary worker. Messages are copied, as between
 * processes.
 */
export function linkedWorkers(count: number): readonly Workers[] {
  const listeners = Array.from({ length: count }, () => new Map<string, Set<(message: unknown) => void>>());
  const limits = new MemoryRateLimits();
  const locks = new LockTable();
  return listeners.map((own, slot) => ({
    slot,
    limits,
    locks: new MemoryLocks(locks),
    count,
    isPrimary: slot === 0,
    isDraining: false,
    onChange: () => () => {},
    broadcast(topic, message) {
      const copy: unknown = structuredClone(message);
      for (const others of listeners) if (others !== own) for (const hear of others.get(topic) ?? []) hear(copy);
    },
    subscribe(topic, listener) {
      own.set(topic, (own.get(topic) ?? new Set()).add(listener));
      return () => void own.get(topic)?.delete(listener);
    },
    sumCounts: (own) => Promise.resolve(own.report()),
    secret: (name) => onlyWorker.secret(name),
    renewSecret: (name) => onlyWorker.renewSecret(name),
    onSecret: (name, listener) => onlyWorker.onSecret(name, listener),
  }));
}
