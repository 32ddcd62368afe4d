import { HemiError } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { RemoteError } from "../channel/channel.ts";
import { answerOf } from "./worker-answers.ts";

const worker = { slot: 1, pid: 4711 };

test("a worker that ends before it has answered is named, with what that means", async () => {
  const ended = Promise.reject(new HemiError("HEMI_PROCESS", "the other process has ended"));
  await expect(answerOf(worker, ended, "nothing was purged")).rejects.toThrow(
    "worker 1, process 4711, has ended before it had answered: nothing was purged",
  );
});

test.each([
  new RemoteError("there is no component of this path", 2),
  new TypeError("Do not know how to serialize a BigInt"),
  new HemiError("HEMI_USAGE", "there is no such profile"),
])("an error that is not the end of the worker is told as it is: %s", async (error) => {
  await expect(answerOf(worker, Promise.reject(error))).rejects.toBe(error);
});
