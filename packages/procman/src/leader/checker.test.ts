import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ServeOptions } from "../channel/calls.ts";
import { Checker } from "./checker.ts";

/** The process of a checker, which answers when the test says so. */
class FakeProcess extends EventEmitter {
  isKilled = false;
  #lastId = 0;

  send(message: { readonly id: number }): void {
    this.#lastId = message.id;
  }

  answer(result: unknown): void {
    this.emit("message", { "@hemi/procman": "result", id: this.#lastId, result });
  }

  kill(): void {
    this.isKilled = true;
    this.emit("exit");
  }
}

const processes = vi.hoisted((): FakeProcess[] => []);
vi.mock("./child-process.ts", () => ({
  startChild() {
    const process = new FakeProcess();
    processes.push(process);
    return process;
  },
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  processes.length = 0;
});

const options = {} as unknown as ServeOptions;

test("a checker that does not answer in time is given up", async () => {
  const checker = new Checker({});
  const checked = expect(checker.check(options, undefined, 10_000)).rejects.toThrow("was not checked within 10000 ms");
  await vi.advanceTimersByTimeAsync(10_001);
  await checked;
  expect(processes[0]?.isKilled).toBe(true);
  checker.close();
});

test("a checker that stood with the leader is not given up", async () => {
  vi.useRealTimers();
  const checker = new Checker({});
  const checked = checker.check(options, undefined, 2000);
  await new Promise((resolve) => setImmediate(resolve));
  for (const end = performance.now() + 2100; performance.now() < end;);
  // Timers that are due run first.
  await new Promise((resolve) => setTimeout(resolve, 0));
  processes[0]?.answer("checked");
  expect(await checked).toBe("checked");
  checker.close();
});
