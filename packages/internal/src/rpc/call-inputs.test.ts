import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { CallInputs } from "./call-inputs.ts";

test("gives messages that are here, those that come, and their end", async () => {
  const messages = [1, Promise.resolve(2), undefined];
  const got: unknown[] = [];
  for await (const message of new CallInputs({ isOver: false }, { receive: () => messages.shift() })) got.push(message);
  expect(got).toEqual([1, 2]);
});

test("gives nothing more once its reader has left, or the call is over", async () => {
  const run = { isOver: false };
  const inputs = new CallInputs(run, { receive: () => 1 });
  for await (const message of inputs) {
    expect(message).toBe(1);
    break;
  }
  expect(await inputs.next()).toEqual({ value: undefined, done: true });
  const others = new CallInputs(run, { receive: () => 1 });
  run.isOver = true;
  await expect(others.next()).rejects.toMatchObject({ code: "canceled" });
});

test("a failure that nobody waits for does not end the process", async () => {
  const failing = new CallInputs({ isOver: false }, { receive: () => Promise.reject(new Error("gone")) });
  void failing.next();
  const throwing = new CallInputs({ isOver: false }, { receive: () => expect.fail("no message") });
  void throwing.next();
  await setImmediate();
  await expect(failing.next()).rejects.toThrow("gone");
});
