import { expect, test } from "vitest";
import { Deadlines } from "@hemi/common";
import { BackendFailure } from "@hemi/internal";
import { Pool } from "../server/pool.ts";
import { QueryPhase } from "./query-phase.ts";
import { StatementTable } from "./statements.ts";

test("a client that does not read its answers is not read either, until it does", () => {
  const held: boolean[] = [];
  const deadlines = new Deadlines({ failed: () => undefined });
  const settings = { poolSize: 1, maxQueued: 1, queueTimeout: 1, serverIdleTimeout: 1, serverLifetime: 0 };
  const pool = new Pool({
    settings: { ...settings, resetQuery: "", maxMessageSize: 1000 },
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
  const phase = new QueryPhase({
    pipe: { isDestroyed: false, write: () => false, hold: (isHeld) => held.push(isHeld), end: () => undefined },
    lender: { pool, statements: new StatementTable(), defaults: new Map() },
    params: new Map(),
    settings: { pooling: "transaction", maxStatements: 1, maxMessageSize: 1000 },
    count: () => undefined,
    key: () => ({ id: 1, key: Buffer.alloc(4) }),
    servedBy: () => undefined,
    abandoned: () => undefined,
    close: () => undefined,
  });
  phase.begin();
  expect(held.at(-1)).toBe(true);
  phase.clientDrained();
  expect(held.at(-1)).toBe(false);
  deadlines.close();
});
