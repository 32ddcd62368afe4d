import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { noFields } from "./fields.ts";
import { probeHTTP } from "./http-probe.ts";

test("a check that is over leaves nothing at the signal that would have given it up", async () => {
  const probe = probeHTTP(
    { healthPath: "/", healthStatuses: [], healthHost: "" },
    {
      makePool: () => ({ close() {}, destroy() {} }),
      newExchan: (_request, wish, taker) => ({
        wish,
        node: undefined,
        tag: undefined,
        sendContent: () => true,
        writable: () => Promise.resolve(),
        endContent() {},
        resume() {},
        cancel() {},
        refused() {},
        entered() {
          taker.answered({ status: 200, fields: noFields, contentSize: 0, fieldList: () => [] }, undefined);
        },
      }),
    },
  );
  const { signal } = new AbortController();
  const address = { host: "127.0.0.1", port: 1 };
  const spec = { address, hostname: "", weight: 1, keepConns: 0, isBackup: false };
  for (let i = 0; i < 3; i++) expect(await probe(spec, 1000, signal)).toBeUndefined();
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
