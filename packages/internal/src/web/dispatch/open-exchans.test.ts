import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ExchanWire } from "../../http/exchan.ts";
import { standStill } from "../../testing/pause.ts";
import type { WebappPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { OpenExchans } from "./open-exchans.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const webapp = {} as WebappPart;

/** Open WebSockets of a webapp. */
function openMany(count: number) {
  const open = new OpenExchans();
  const endings: { readonly asked: number[]; readonly broken: number[]; readonly ends: (() => void)[] } = {
    asked: [],
    broken: [],
    ends: [],
  };
  const began = performance.now();
  const passed = (): number => Math.round(performance.now() - began);
  for (let i = 0; i < count; i++) {
    const resp = {
      leave: () => endings.asked.push(passed()),
      abort: () => endings.broken.push(passed()),
      isHookedByOneOf: () => false,
    } as unknown as Response;
    const wire = { onEnd: (listener: () => void) => endings.ends.push(listener) } as unknown as ExchanWire;
    open.add(webapp, { id: String(i) } as unknown as Request, resp, wire, { noteLate: () => undefined });
  }
  return { open, ...endings };
}

test("exchans of a dropped webapp are asked to end one after the other, and broken off at the deadline", async () => {
  const { open, asked, broken } = openMany(100);
  const settled = open.settle(new Set([webapp]), Date.now() + 10_000);
  await vi.advanceTimersByTimeAsync(2400);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(2600);
  expect(asked.length).toBeGreaterThan(20);
  expect(new Set(asked).size).toBeGreaterThan(10);
  await vi.advanceTimersByTimeAsync(4999);
  expect([asked.length, broken.length]).toEqual([100, 0]);
  await vi.advanceTimersByTimeAsync(2);
  await settled;
  expect(broken).toHaveLength(100);
  expect(vi.getTimerCount()).toBe(0);
});

test("a pause of the process is not the time of exchans that a reload ends", async () => {
  vi.useRealTimers();
  const { open, asked, broken, ends } = openMany(100);
  const settled = open.settle(new Set([webapp]), Date.now() + 2000);
  await standStill(2100);
  expect([asked, broken]).toEqual([[], []]);
  for (const end of ends) end();
  await settled;
});

test("exchans that have ended are not asked to", async () => {
  const { open, asked, ends } = openMany(10);
  const settled = open.settle(new Set([webapp]), Date.now() + 10_000);
  for (const end of ends.slice(1)) end();
  await vi.advanceTimersByTimeAsync(9000);
  expect(asked).toHaveLength(1);
  ends[0]?.();
  await settled;
});
