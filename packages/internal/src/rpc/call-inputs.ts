// The messages of a client, as a procedure gets them. By hand and not by a generator: a stream that idles costs memory
// for each of them.

import { isPromiseLike, quietly } from "@hemi/common";
import { RpcError } from "@hemi/common/rpc";
import type { CallDoor } from "./call-door.ts";

type Result = IteratorResult<unknown, undefined>;

export class CallInputs implements AsyncIterableIterator<unknown, undefined> {
  readonly #run: { readonly isOver: boolean };
  readonly #door: Pick<CallDoor, "receive">;
  #isLeft = false;

  /** `run`: whether anybody still wants messages. */
  constructor(run: { readonly isOver: boolean }, door: Pick<CallDoor, "receive">) {
    this.#run = run;
    this.#door = door;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#isLeft) return Promise.resolve(end);
    try {
      if (this.#run.isOver) throw new RpcError("canceled", "the call is over: there are no more messages");
      const received = this.#door.receive();
      if (!isPromiseLike(received)) return Promise.resolve(resultOf(received));
      // A procedure may be gone before the message is here.
      return quietly(Promise.resolve(received).then(resultOf));
    } catch (error) {
      return quietly(Promise.reject(error instanceof Error ? error : new Error(String(error))));
    }
  }

  return(): Promise<Result> {
    this.#isLeft = true;
    return Promise.resolve(end);
  }
}

function resultOf(value: unknown): Result {
  return value === undefined ? end : { value, done: false };
}

const end: Result = { value: undefined, done: true };
