import { Roster } from "@hemi/common";
import { afterEach, expect, test, vi } from "vitest";
import { OpenConns, type OpenConn } from "./open-conns.ts";

afterEach(() => vi.restoreAllMocks());

test("ending the connections of a dropped dealet takes work in proportion to their number", async () => {
  const dealet = {};
  const conns = new OpenConns<OpenConn>();
  const count = 200;
  for (let i = 0; i < count; i++) {
    const conn: OpenConn = {
      taker: { dealet, case: { part: {} } } as unknown as NonNullable<OpenConn["taker"]>,
      destroy: () => conns.delete(conn),
    };
    conns.add(conn);
  }
  const other: OpenConn = { taker: undefined, destroy: () => expect.unreachable() };
  conns.add(other);
  const looks = vi.spyOn(Roster.prototype, "has");
  await conns.settle(new Set([dealet]), Date.now(), new Set());
  expect(conns.size).toBe(1);
  expect(looks.mock.calls.length).toBeLessThan(10 * count);
});
