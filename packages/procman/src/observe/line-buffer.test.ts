import { expect, test } from "vitest";
import { AccessFollowers } from "../leader/access-followers.ts";
import { accessText } from "./access-text.ts";
import { LineBuffer } from "./line-buffer.ts";
import { readLogOrder } from "./log-order.ts";

test("lines for a reader that does not read are dropped and counted, and do not fill the memory", () => {
  const buffer = new LineBuffer();
  for (let i = 0; i < 5000; i++) buffer.add(String(i));
  buffer.missed(7);
  const { lines, dropped } = buffer.take();
  expect(lines).toHaveLength(2000);
  expect(lines[1999]).toBe("1999");
  expect(dropped).toBe(3007);
  expect(buffer.isEmpty).toBe(true);

  const long = "x".repeat(100_000);
  for (let i = 0; i < 5; i++) buffer.add(long);
  expect(buffer.take()).toEqual({ lines: [long, long], dropped: 3 });
});

test("a follower gets the lines of all workers that came since it asked last", async () => {
  let changes = 0;
  const followers = new AccessFollowers(() => changes++);
  const id = followers.open({ status: "5xx" });
  expect(followers.all).toEqual([{ id, filter: { status: "5xx" } }]);
  followers.take({ follower: id, lines: ["a", "b"], dropped: 0 });
  followers.take({ follower: id + 1, lines: ["for another one"], dropped: 0 });
  expect(await followers.next(id)).toEqual({ lines: ["a", "b"], dropped: 0 });
  const next = followers.next(id);
  followers.take({ follower: id, lines: ["c"], dropped: 3 });
  expect(await next).toEqual({ lines: ["c"], dropped: 3 });
  expect(changes).toBe(1);
  await expect(followers.next(id + 1)).rejects.toThrow("nobody 2 follows");
  for (let i = 1; i < 16; i++) followers.open({});
  expect(() => followers.open({})).toThrow("16 follow the traffic already");
  const nextLeader = new AccessFollowers(() => {});
  nextLeader.restore(followers.all);
  followers.take({ follower: id, lines: ["d"], dropped: 1 });
  followers.passOn((lines) => nextLeader.take(lines));
  followers.take({ follower: id, lines: ["e"], dropped: 0 });
  expect(await nextLeader.next(id)).toEqual({ lines: ["d", "e"], dropped: 1 });
  expect(() => nextLeader.open({})).toThrow("16 follow the traffic already");
  nextLeader.close();
  followers.close();
});

test.each([
  [{ filter: { status: "6xx" } }, 'status is a number such as 404 or a class such as 5xx, not "6xx"'],
  [{ filter: { status: 404 } }, "status is a number such as 404"],
  [{ filter: { slow: "much" } }, "slow is a number of ms"],
  [{ filter: { path: "" } }, "path is the beginning of a path"],
  [{ follower: "1" }, "follower is the number of the answer before"],
])("a client that sends %j is told what is wrong", (params, message) => {
  expect(() => readLogOrder(params)).toThrow(message);
});

test("a line for people has what clients send, without what commands a terminal", () => {
  const line = {
    time: "2026-01-31T12:00:00.123Z",
    method: "GET",
    scheme: "https",
    authority: "shop.example",
    uri: "/\x1b[2J",
    status: 502,
    contentSent: 1229,
    endReason: "leftReading",
    srcHost: "10.0.0.1",
    totalTime: 12.345,
    component: "webapp.shop/httpProxy",
    node: "10.0.0.9:80",
    attempts: 2,
  };
  expect(accessText(JSON.stringify(line))).toBe(
    "12:00:00.123 502    12.35 ms   1.2K GET https://shop.example/?[2J 10.0.0.1 webapp.shop/httpProxy" +
      " node 10.0.0.9:80 after 1 other leftReading",
  );
});
