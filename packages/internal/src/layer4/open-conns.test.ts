import { expect, test } from "vitest";
import { standStill } from "../testing/pause.ts";
import { OpenConns, type OpenConn } from "./open-conns.ts";

test("ending the connections of a dropped dealet takes work in proportion to their number", async () => {
  const dealet = {};
  const open = new Set<OpenConn>();
  const conns = new OpenConns<OpenConn>(() => open);
  const count = 200;
  const taker = { dealet, case: { part: {} } } as unknown as NonNullable<OpenConn["taker"]>;
  let looks = 0;
  for (let i = 0; i < count; i++) {
    const conn: OpenConn = {
      get taker() {
        looks++;
        return taker;
      },
      destroy() {
        open.delete(conn);
        conns.ended(conn);
      },
    };
    open.add(conn);
  }
  const other: OpenConn = { taker: undefined, destroy: () => expect.unreachable() };
  open.add(other);
  await conns.settle(new Set([dealet]), Date.now(), new Set());
  expect([...open]).toEqual([other]);
  expect(looks).toBeLessThan(10 * count);
});

test("a pause of the process is not the time of the connections of a dropped dealet", async () => {
  const dealet = {};
  let isEnded = false;
  const conn: OpenConn = {
    taker: { dealet, case: { part: {} } } as unknown as NonNullable<OpenConn["taker"]>,
    destroy() {
      isEnded = true;
      conns.ended(conn);
    },
  };
  const conns = new OpenConns<OpenConn>(() => [conn]);
  const settled = conns.settle(new Set([dealet]), Date.now() + 2000, new Set());
  await standStill(2100);
  expect(isEnded).toBe(false);
  conn.destroy();
  await settled;
});
