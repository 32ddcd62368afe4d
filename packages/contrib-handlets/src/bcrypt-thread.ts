// Compares passwords with hashes of bcrypt in a thread of its own: Node.js has no bcrypt, and in JavaScript one of cost
// 10 takes 50 to 100 ms, in which the server would answer nobody.

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

type Answer = readonly [number: number, isRight: boolean];

/** It begins with the first password, and ends with `close`. */
export class BcryptThread {
  #worker: Worker | undefined;
  #asked = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<boolean>>();

  /** Rejects if the thread has ended. */
  compare(password: string, hash: string): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>();
    const number = ++this.#asked;
    this.#waiting.set(number, answer);
    (this.#worker ??= this.#start()).postMessage([number, password, hash]);
    return answer.promise;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const library = createRequire(import.meta.url).resolve("bcryptjs");
    const worker = new Worker(program, { eval: true, workerData: library, name: "hemi-bcrypt" });
    worker.unref();
    worker.on("message", ([number, isRight]: Answer) => {
      this.#waiting.get(number)?.resolve(isRight);
      this.#waiting.delete(number);
    });
    worker.once("error", (error) => this.#ended(worker, error));
    worker.once("exit", () => this.#ended(worker, new Error("the thread for bcrypt has ended")));
    return worker;
  }

  #ended(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** As text, because a package is built into one module: there is no file for it. */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const { compareSync } = require(workerData);
parentPort.on("message", ([number, password, hash]) => {
  parentPort.postMessage([number, compareSync(password, hash)]);
});
`;
