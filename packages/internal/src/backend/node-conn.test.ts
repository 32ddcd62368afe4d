import type { Deadline } from "@hemi/common";
import { expect, test } from "vitest";
import { RawBackend } from "../testing/raw-backend.ts";
import { dialNode } from "./dial.ts";
import { NodeConn, type ConnUser } from "./node-conn.ts";

/** A deadline that expires when it is told to. */
class HandDeadline implements Deadline {
  /** In ms, what it was set to last; `undefined` if it is not set. */
  ms: number | undefined;
  readonly #onExpired: () => void;

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired;
  }

  get isSet(): boolean {
    return this.ms !== undefined;
  }

  set(ms: number): void {
    this.ms = ms;
  }

  clear(): void {
    this.ms = undefined;
  }

  expire(): void {
    this.ms = undefined;
    this.#onExpired();
  }
}

const timeouts = { dialTimeout: 5000, writeTimeout: 5000, readTimeout: 5000, aliveTimeout: 60_000 };

/** A connection that has got a response, and is idle. */
async function idleConn(node: RawBackend, settings: Partial<typeof timeouts>, aliveFor?: number) {
  const idle = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const deadlines: HandDeadline[] = [];
  const address = { host: "127.0.0.1", port: node.port };
  const conn = new NodeConn<undefined>(
    {
      settings: { ...timeouts, proxyProtocol: "off", ...settings },
      traits: undefined,
      dial: (onread) =>
        dialNode(
          { address, hostname: "", weight: 1, keepConns: 1, isBackup: false },
          undefined,
          onread === undefined ? {} : { onread },
        ),
      makeDeadline(onExpired) {
        const deadline = new HandDeadline(onExpired);
        deadlines.push(deadline);
        return deadline;
      },
      becameIdle: () => idle.resolve(),
      closed: () => closed.resolve(),
    },
    undefined,
  );
  const user: ConnUser = {
    isRequestSent: true,
    isHeld: false,
    connected: () => conn.output.writeText("GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    advance() {
      conn.input.at = conn.input.bytes.length;
      conn.finished(aliveFor);
    },
    endedByClose: () => false,
    timedOut: () => undefined,
    broken: () => undefined,
  };
  conn.begin(user);
  await idle.promise;
  const [deadline] = deadlines;
  if (deadline === undefined) throw new Error("the connection has made no deadline");
  return { conn, user, deadline, closed: closed.promise };
}

test("an idle connection is kept for the rest of aliveTimeout when the deadline of its response has passed", async () => {
  await using node = await RawBackend.answering((_, conn) => conn.answer("ok"));
  const { deadline, closed } = await idleConn(node, {});
  expect(deadline.ms).toBe(timeouts.readTimeout);
  deadline.expire();
  expect(deadline.ms).toBeGreaterThan(timeouts.readTimeout);
  expect(deadline.ms).toBeLessThanOrEqual(timeouts.aliveTimeout);
  deadline.expire();
  await closed;
});

test.each([
  ["aliveTimeout is less than the time for a response", { aliveTimeout: 2000 }, undefined],
  ["the node says that it keeps it for less", {}, 3000],
])("an idle connection is closed at its first deadline where %s", async (_why, settings, aliveFor) => {
  await using node = await RawBackend.answering((_, conn) => conn.answer("ok"));
  const { deadline, closed } = await idleConn(node, settings, aliveFor);
  expect(deadline.ms).toBe(2000);
  deadline.expire();
  await closed;
});

test("a connection that is used again waits for the response, however long it was idle", async () => {
  await using node = await RawBackend.answering((_, conn) => conn.answer("ok"));
  const { conn, user, deadline, closed } = await idleConn(node, {});
  deadline.expire();
  const { promise, resolve } = Promise.withResolvers<string>();
  conn.begin({ ...user, advance: () => undefined, timedOut: resolve });
  expect(deadline.ms).toBe(timeouts.readTimeout);
  deadline.expire();
  expect(await promise).toContain("nothing of its answer came");
  conn.destroy();
  await closed;
});
