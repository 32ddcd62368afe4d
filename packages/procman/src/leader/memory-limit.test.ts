import type { ErrorLog } from "@hemi/hemi/base";
import { expect, test, vi } from "vitest";
import { MemoryLimit } from "./memory-limit.ts";
import type { Slot } from "./slot.ts";
import type { WorkerProcess } from "./worker-process.ts";

test("a worker that is too large is replaced, also after the system time was set back", async () => {
  vi.useFakeTimers();
  try {
    const worker = { slot: 0, age: 60_000, call: () => Promise.resolve({ rss: 200 }) } as unknown as WorkerProcess;
    const slot = { ready: worker } as unknown as Slot;
    const replace = vi.fn(() => Promise.resolve());
    const log = { warn: () => undefined } as unknown as ErrorLog;
    const limit = new MemoryLimit({ max: 100, slots: [slot], replace, log });
    limit.start();
    await vi.advanceTimersByTimeAsync(1000);
    expect(replace).toHaveBeenCalledTimes(1);
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(replace).toHaveBeenCalledTimes(2);
    limit.stop();
  } finally {
    vi.useRealTimers();
  }
});
