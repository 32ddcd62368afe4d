import { expect, test } from "vitest";
import { Deadlines } from "@hemi/common";
import { BackendFailure, DatabaseCounts, Metrics, onlyWorker } from "@hemi/internal";
import { Cancels } from "../server/cancels.ts";
import { Pool } from "../server/pool.ts";
import { StatementTable } from "../server/statements.ts";
import { QueryPhase } from "./query-phase.ts";
import { ParamSets } from "./session-params.ts";

test("a client that does not read its answers is not read either, until it does", () => {
  const held: boolean[] = [];
  const deadlines = new Deadlines({ failed: () => undefined });
  const settings = { poolSize: 1, maxQueued: 1, queueTimeout: 1, serverIdleTimeout: 1, serverLifetime: 0 };
  const counts = new DatabaseCounts({ path: "", metrics: new Metrics() }, "", "");
  const pool = new Pool({
    counts,
    settings: { ...settings, resetQuery: "", alwaysReset: false, maxMessageSize: 1000 },
    backend: () => {
      throw new BackendFailure("HEMI_BACKEND_BUSY", "", "no server is needed");
    },
    credentials: { user: "", password: "" },
    database: "",
    tls: () => ({ mode: "off", serverName: "", ca: undefined }),
    makeDeadline: (onExpired) => deadlines.add(onExpired),
    now: () => 0,
    log: () => undefined,
  });
  const host = {
    settings: { pooling: "transaction", maxStatements: 1 },
    cancels: new Cancels({ workers: onlyWorker, path: "", now: () => 0, cancel: () => undefined }),
    paramSets: new ParamSets(),
    count: () => undefined,
    abandoned: () => undefined,
  } as const;
  const session = {
    pipe: {
      isDestroyed: false,
      write: () => false,
      hold: (isHeld: boolean) => held.push(isHeld),
      end: () => undefined,
    },
    servedBy: () => undefined,
    close: () => undefined,
  };
  const lender = {
    user: "",
    database: "",
    pool,
    counts,
    statements: new StatementTable(),
    clients: 0,
    defaults: new Map(),
  };
  const phase = new QueryPhase(host, session, lender, new Map());
  phase.begin();
  expect(held.at(-1)).toBe(true);
  phase.clientDrained();
  expect(held.at(-1)).toBe(false);
  deadlines.close();
});
