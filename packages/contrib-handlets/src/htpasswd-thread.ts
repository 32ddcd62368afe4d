// Verifies passwords against the hashes of htpasswd in a thread of its own. Node.js has no bcrypt, and in JavaScript
// one of cost 10 takes 50 to 100 ms; apr1 takes as long for a password of 10 KB. The server would answer nobody
// meanwhile.

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

type Answer = readonly [number: number, isRight: boolean];

/** It begins with the first password, and ends with `close`. */
export class HtpasswdThread {
  #worker: Worker | undefined;
  #asked = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<boolean>>();

  /** `hash` is one of bcrypt or apr1. Rejects if the thread has ended. */
  verify(password: string, hash: string): Promise<boolean> {
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
    const { resolve } = createRequire(import.meta.url);
    const workerData = [resolve("bcryptjs"), resolve("apache-md5")];
    const worker = new Worker(program, { eval: true, workerData, name: "hemi-htpasswd" });
    worker.unref();
    worker.on("message", ([number, isRight]: Answer) => {
      this.#waiting.get(number)?.resolve(isRight);
      this.#waiting.delete(number);
    });
    worker.once("error", (error) => this.#ended(worker, error));
    worker.once("exit", () => this.#ended(worker, new Error("the thread for hashes of htpasswd has ended")));
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
const { timingSafeEqual } = require("node:crypto");
const { parentPort, workerData } = require("node:worker_threads");
const [bcrypt, apr1] = workerData.map((library) => require(library));
parentPort.on("message", ([number, password, hash]) => {
  const isApr1 = hash.startsWith("$apr1$");
  const isRight = isApr1 ? isRightOfApr1(password, hash) : bcrypt.compareSync(password, hash);
  parentPort.postMessage([number, isRight]);
});
function isRightOfApr1(password, hash) {
  // The library takes a character for a byte.
  const made = apr1(Buffer.from(password).toString("latin1"), hash);
  return timingSafeEqual(Buffer.from(made), Buffer.from(hash));
}
`;
