import { expect, test } from "vitest";
import { Deadlines } from "@hemi/common";
import { BackendFailure, DatabaseCounts, Metrics } from "@hemi/internal";
import { Access } from "../access.ts";
import { Lenders } from "./lenders.ts";

test("a flood of names of databases does not take the pool of a client away", () => {
  const deadlines = new Deadlines({ failed: () => undefined });
  const backend = () => {
    throw new BackendFailure("HEMI_BACKEND_BUSY", "", "no server is needed");
  };
  const ann = { name: "ann", password: "x", databases: [], serverUser: "", serverPassword: "" };
  const settings = { poolSize: 1, maxQueued: 1, queueTimeout: 1, serverIdleTimeout: 1, serverLifetime: 0 };
  const lenders = new Lenders(
    new Access({
      toBackend: {
        ...{ path: "", name: "", sign: "", origin: undefined },
        get current() {
          return backend();
        },
      },
      databases: [],
      otherDatabases: true,
      users: [ann],
    }),
    {
      settings: { ...settings, resetQuery: "", alwaysReset: false, maxMessageSize: 1000 },
      tls: () => ({ mode: "off", serverName: "", ca: undefined }),
      makeDeadline: (onExpired) => deadlines.add(onExpired),
      now: () => 0,
      log: () => undefined,
    },
    () => new DatabaseCounts({ path: "", metrics: new Metrics() }, "", ""),
  );
  const [used, unused] = [lenders.lenderFor(ann, "used"), lenders.lenderFor(ann, "unused")];
  if ("state" in used) throw new Error(used.text);
  used.clients++;
  for (let i = 0; i < 10_000; i++) lenders.lenderFor(ann, `flood ${i}`);
  expect(lenders.lenderFor(ann, "used")).toBe(used);
  expect(lenders.lenderFor(ann, "unused")).not.toBe(unused);
  deadlines.close();
});
