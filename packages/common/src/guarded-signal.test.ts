import { expect, test } from "vitest";
import { guardSignal } from "./guarded-signal.ts";

function fail(): never {
  throw new Error("on purpose");
}

/** What is told when the signal aborts. */
async function told(listen: (signal: AbortSignal) => void): Promise<readonly unknown[]> {
  const errors: unknown[] = [];
  const controller = new AbortController();
  listen(guardSignal(controller.signal, (error) => errors.push(error)));
  controller.abort();
  await new Promise(setImmediate);
  return errors;
}

/** An async function, as it fits where the types want one that returns nothing. */
const failLater = (): undefined => Promise.reject(new Error("on purpose")) as unknown as undefined;

test.each<[string, (signal: AbortSignal) => void]>([
  ["a listener", (signal) => signal.addEventListener("abort", fail)],
  ["an asynchronous listener", (signal) => signal.addEventListener("abort", failLater)],
  ["a listener that is an object", (signal) => signal.addEventListener("abort", { handleEvent: fail })],
  ["onabort", (signal) => void (signal.onabort = fail)],
])("what %s of a guarded signal throws is told, and goes no further", async (_name, listen) => {
  expect(await told(listen)).toEqual([new Error("on purpose")]);
});

test("a guarded signal calls listeners as any signal does, and not those that were taken off", async () => {
  const heard: string[] = [];
  const errors = await told((signal) => {
    const first = (): void => void heard.push("first");
    signal.addEventListener("abort", first);
    signal.addEventListener("abort", function (this: AbortSignal, { type }) {
      heard.push(`${type} ${this === signal}`);
    });
    signal.removeEventListener("abort", first);
    signal.removeEventListener("abort", () => {});
  });
  expect(heard).toEqual(["abort true"]);
  expect(errors).toEqual([]);
});
