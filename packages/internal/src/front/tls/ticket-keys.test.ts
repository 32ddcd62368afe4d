import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { OnlyWorker } from "../../stage/workers.ts";
import { TicketKey } from "./ticket-keys.ts";

test("a key that is renewed while a worker asks for it is the one that the worker has", async () => {
  const [old, renewed] = [Buffer.alloc(48, 1), Buffer.alloc(48, 2)];
  const asked = Promise.withResolvers<Buffer>();
  class AskingWorker extends OnlyWorker {
    tell: (secret: Buffer) => void = () => {};
    override secret(): Promise<Buffer> {
      return asked.promise;
    }
    override onSecret(_name: string, listener: (secret: Buffer) => void): () => void {
      this.tell = listener;
      return () => {};
    }
  }
  const worker = new AskingWorker();
  const key = new TicketKey(0);
  const shared = key.shareAmong(worker, () => 1);
  await turn();
  // Both messages of the leader have come at once.
  asked.resolve(old);
  worker.tell(renewed);
  await shared;
  expect(key.bytes).toEqual(renewed);
});
