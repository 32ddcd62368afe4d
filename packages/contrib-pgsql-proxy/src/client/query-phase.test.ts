import { expect, test } from "vitest";
import { Deadlines } from "@hemi/common";
import { BackendFailure, DatabaseCounts, Metrics, onlyWorker } from "@hemi/internal";
import { message } from "../protocol/messages.ts";
import { Cancels } from "../server/cancels.ts";
import { Pool, type PoolWaiter, type ServerSource } from "../server/pool.ts";
import { OwnAuth } from "../server/server-auth.ts";
import { ServerConn } from "../server/server-conn.ts";
import { StatementTable } from "../server/statements.ts";
import { QueryPhase } from "./query-phase.ts";
import { ParamSets } from "./session-params.ts";

const host = {
  settings: { pooling: "transaction", maxStatements: 1 },
  cancels: new Cancels({ workers: onlyWorker, path: "", now: () => 0, cancel: () => undefined }),
  paramSets: new ParamSets(),
  count: () => undefined,
  abandoned: () => undefined,
} as const;

const counts = new DatabaseCounts({ path: "", metrics: new Metrics() }, "", "");

function lenderOf(pool: ServerSource) {
  const statements = new StatementTable();
  return { user: "", database: "", pool, counts, statements, clients: 0, defaults: new Map<string, string>() };
}

const credentials = { user: "", password: "" };
const tls = { mode: "off", serverName: "", ca: undefined } as const;

const unreachable = () => {
  throw new BackendFailure("HEMI_BACKEND_BUSY", "", "no server is needed");
};

test("a client that does not read its answers is not read either, until it does", () => {
  const held: boolean[] = [];
  const deadlines = new Deadlines({ failed: () => undefined });
  const settings = { poolSize: 1, maxQueued: 1, queueTimeout: 1, serverIdleTimeout: 1, serverLifetime: 0 };
  const pool = new Pool({
    counts,
    settings: { ...settings, resetQuery: "", alwaysReset: false, maxMessageSize: 1000 },
    backend: unreachable,
    credentials,
    database: "",
    tls: () => tls,
    makeDeadline: (onExpired) => deadlines.add(onExpired),
    now: () => 0,
    log: () => undefined,
  });
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
  const phase = new QueryPhase(host, session, lenderOf(pool), new Map());
  phase.begin();
  expect(held.at(-1)).toBe(true);
  phase.clientDrained();
  expect(held.at(-1)).toBe(false);
  deadlines.close();
});

test("a long queue of clients that ask the server nothing costs no stack", async () => {
  const queue: PoolWaiter[] = [];
  const source: ServerSource = {
    acquire: (waiter) => void queue.push(waiter),
    forget: () => undefined,
    release: (server) => queue.shift()?.got(server),
  };
  const lender = lenderOf(source);
  const pipe = { isDestroyed: false, write: () => true, hold: () => undefined, end: () => undefined };
  const session = { pipe, servedBy: () => undefined, close: () => undefined };
  const flush = message("H");
  for (let i = 0; i < 6000; i++) {
    const phase = new QueryPhase(host, session, lender, new Map());
    phase.begin();
    phase.clientMessage(flush[0] ?? 0, flush, 0, flush.length);
  }
  const server = new ServerConn({
    ...{ user: "", database: "", auth: new OwnAuth(credentials), tls, settings: { maxMessageSize: 1000 } },
    backend: { dial: unreachable, whyNoRetry: unreachable, explain: unreachable },
    ready: () => undefined,
    over: () => undefined,
    log: () => undefined,
  });
  source.release(server, false);
  await expect.poll(() => queue.length).toBe(0);
});
