import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SentCommands } from "./sent-commands.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** `send` adds a command, whose name is in `late` when its time is over. */
function track() {
  const sent = new SentCommands();
  const late: string[] = [];
  return { sent, late, send: (name: string, limit: number) => sent.add("", limit, () => late.push(name)) };
}

test("each command is given up when its own time is over, and no other one", () => {
  const { sent, late, send } = track();
  send("a", 100);
  vi.advanceTimersByTime(60);
  const b = send("b", 100);
  vi.advanceTimersByTime(41);
  expect(late).toEqual(["a"]);
  expect(sent).toMatchObject({ size: 2, hasOverdue: true });
  // A cluster answers in any order.
  sent.delete(b);
  vi.advanceTimersByTime(1000);
  expect(late).toEqual(["a"]);
});

test("a limit that has become shorter counts at once", () => {
  const { late, send } = track();
  send("patient", 1000);
  send("hasty", 50);
  vi.advanceTimersByTime(51);
  expect(late).toEqual(["hasty"]);
  vi.advanceTimersByTime(950);
  expect(late).toEqual(["hasty", "patient"]);
});

test("the time of what is sent after a pause is limited as well", () => {
  const { sent, late, send } = track();
  sent.delete(send("a", 100));
  vi.advanceTimersByTime(1000);
  send("b", 100);
  vi.advanceTimersByTime(101);
  expect(late).toEqual(["b"]);
});

test("an answer that is late is overdue until it comes, and counts once", () => {
  const { sent, send } = track();
  const [a, b] = [send("a", 10), send("b", 10)];
  vi.advanceTimersByTime(11);
  expect(sent.hasOverdue).toBe(true);
  sent.delete(a);
  sent.delete(a);
  expect(sent).toMatchObject({ size: 1, hasOverdue: true });
  sent.delete(b);
  expect(sent).toMatchObject({ size: 0, hasOverdue: false });
});

test("an answer is overdue at the node that owes it", () => {
  const { sent } = track();
  const late = sent.add("a:1", 10, () => {});
  sent.delete(sent.add("b:1", 10, () => {}));
  vi.advanceTimersByTime(11);
  expect(["a:1", "b:1"].map((node) => sent.isOverdue(node))).toEqual([true, false]);
  sent.delete(late);
  expect(sent.isOverdue("a:1")).toBe(false);
});

test("an answer that has arrived while this process stood still is in time", () => {
  const { sent, late, send } = track();
  const a = send("a", 10);
  // What is read between the timer and what comes after it.
  setTimeout(() => sent.delete(a), 10);
  vi.advanceTimersByTime(20);
  expect(late).toEqual([]);
});
