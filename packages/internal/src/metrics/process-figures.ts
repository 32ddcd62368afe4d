// The figures of the process: processor, memory, event loop, garbage collection, file descriptors.

import { readdir, readFile } from "node:fs/promises";
import { monitorEventLoopDelay, performance, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { increase } from "./count-group.ts";
import { processGroup } from "./groups.ts";
import type { Metrics } from "./metrics.ts";

/** Those who watch, by the numbers that they fill in. */
const watched = new WeakMap<Metrics, { watchers: number; end: () => void }>();

/**
 * Fills in the figures of this process from now on. `slot`: of the worker. Several may watch at once. Returns the
 * function that ends this.
 */
export function watchProcess(metrics: Metrics, slot: number): () => void {
  const watch = watched.get(metrics) ?? { watchers: 0, end: begin(metrics, slot) };
  watched.set(metrics, watch);
  watch.watchers++;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--watch.watchers > 0) return;
    watched.delete(metrics);
    watch.end();
  };
}

function begin(metrics: Metrics, slot: number): () => void {
  const numbers = metrics.numbers(processGroup, [String(slot)]);
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      increase(numbers, at.collections);
      increase(numbers, at.collecting, duration / 1000);
    }
  });
  collections.observe({ entryTypes: ["gc"] });
  const delays = new LoopDelays(numbers);
  const descriptors = new Descriptors(numbers);
  numbers[at.startTime] = performance.timeOrigin / 1000;
  const forget = metrics.onReport(() => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    numbers[at.cpu] = (user + system) / 1e6;
    numbers[at.resident] = rss;
    numbers[at.heapUsed] = heapUsed;
    numbers[at.heapLimit] = getHeapStatistics().heap_size_limit;
    numbers[at.external] = external;
    numbers[at.loopBusy] = performance.eventLoopUtilization().active / 1000;
    delays.fill();
    descriptors.fill();
  });
  return () => {
    forget();
    delays.end();
    collections.disconnect();
  };
}

/** The delays of the event loop in the last whole period. */
class LoopDelays {
  readonly #numbers: Float64Array;
  readonly #histogram = monitorEventLoopDelay({ resolution: delayResolution });
  #since = performance.now();

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
    this.#histogram.enable();
  }

  fill(): void {
    const now = performance.now();
    const isFirst = this.#numbers[at.loopDelayMax] === 0;
    if (!isFirst && now - this.#since < delayPeriod) return;
    const histogram = this.#histogram;
    if (histogram.count === 0) return;
    // It measures the time between two ticks of a timer, which is no delay as far as the timer wants it.
    const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - delayResolution / 1000);
    this.#numbers[at.loopDelayMedian] = seconds(histogram.percentile(50));
    this.#numbers[at.loopDelayHigh] = seconds(histogram.percentile(99));
    this.#numbers[at.loopDelayMax] = seconds(histogram.max);
    if (isFirst && now - this.#since < delayPeriod) return;
    this.#since = now;
    histogram.reset();
  }

  end(): void {
    this.#histogram.disable();
  }
}

/** Counted beside what serves: a process may have very many. */
class Descriptors {
  readonly #numbers: Float64Array;
  #next = -Infinity;

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  fill(): void {
    const now = performance.now();
    if (now < this.#next) return;
    this.#next = now + descriptorPeriod;
    void this.#count();
  }

  /** Only Linux tells; elsewhere the numbers stay 0. */
  async #count(): Promise<void> {
    try {
      const [open, limits] = await Promise.all([readdir("/proc/self/fd"), readFile("/proc/self/limits", "utf8")]);
      this.#numbers[at.descriptors] = open.length;
      this.#numbers[at.maxDescriptors] = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 0);
    } catch {
      this.#next = Infinity;
    }
  }
}

const { at } = processGroup;
/** In ms: a finer one wakes an idle process more often. */
const delayResolution = 20;
/** In ms. */
const delayPeriod = 15_000;
const descriptorPeriod = 10_000;
