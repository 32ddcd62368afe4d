import { connect } from "node:net";
import { Deadlines } from "@hemi/common";
import { Metadata, NotBegunError, noCompression } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { numbersService } from "../../testing/rpc/numbers-service.ts";
import { serveRpcServer } from "../../testing/rpc/rpc-server-site.ts";
import { HrpcPool, type HrpcPoolOptions } from "./hrpc-pool.ts";

const time = 60_000;

/** Of a pool with one connection to a port. */
function optionsTo(port: number): Omit<HrpcPoolOptions, "makeDeadline" | "failed"> {
  return {
    timeouts: { beginTimeout: time, idleTimeout: time, writeTimeout: time, pingInterval: 0, pingTimeout: time },
    maxConns: () => 1,
    compression: noCompression,
    dial: (onread) => ({
      socket: connect({ host: "127.0.0.1", port, onread, allowHalfOpen: true }),
      connectEvent: "connect",
    }),
    maxMessageSize: () => 1000,
  };
}

test("calls that wait for a busy node are free to go elsewhere when the node is given up", async () => {
  const bundlets = [numbersService({ events: [], failures: 0 })];
  await using site = await serveRpcServer({ bundlets, props: ".hrpcMaxStreams = 1" });
  const deadlines = new Deadlines({ resolution: 20 });
  const pool = new HrpcPool({
    ...optionsTo(site.port),
    makeDeadline: (onExpired) => deadlines.add(onExpired),
    failed: () => undefined,
  });
  const { signal } = new AbortController();
  const session = await pool.take(signal);
  const head = { path: "/test.Numbers/double", timeout: Infinity, codec: "json", metadata: new Metadata() } as const;
  const running = session.call(head, 1000, { headersCame: () => undefined });
  const waiting = pool.take(signal);
  pool.close();
  await expect(waiting).rejects.toBeInstanceOf(NotBegunError);
  expect([running.isOver, session.isClosed]).toEqual([false, false]);
  pool.destroy();
  deadlines.close();
});

test("a mistake of ours that ends a connection is told, and its calls do not look like calls of a lost node", async () => {
  const bundlets = [numbersService({ events: [], failures: 0 })];
  await using site = await serveRpcServer({ bundlets });
  const mistake = new Error("a mistake");
  let isBroken = false;
  const failures: unknown[] = [];
  const pool = new HrpcPool({
    ...optionsTo(site.port),
    makeDeadline: () => ({
      isSet: false,
      set: () => {},
      clear() {
        if (!isBroken) return;
        isBroken = false;
        throw mistake;
      },
    }),
    failed: (error) => void failures.push(error),
  });
  const session = await pool.take(new AbortController().signal);
  const head = { path: "/test.Numbers/double", timeout: Infinity, codec: "json", metadata: new Metadata() } as const;
  const running = session.call(head, 1000, { headersCame: () => undefined });
  isBroken = true;
  session.ping(() => {});
  await expect.poll(() => session.isClosed).toBe(true);
  expect(session.endReason).toContain("a mistake of this program");
  expect(running.isOver).toBe(true);
  expect(failures).toEqual([mistake]);
  pool.destroy();
});
