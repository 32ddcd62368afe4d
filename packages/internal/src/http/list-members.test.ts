import { expect, test } from "vitest";
import { ListedFields } from "./fields.ts";
import { FieldLines, withoutConnection } from "./field-lines.ts";
import { FieldNames } from "./field-names.ts";
import { hasListMember, listMembers, maxListMembers } from "./list-members.ts";
import { RawBackend } from "../testing/raw-backend.ts";
import { request } from "../testing/raw-client.ts";
import { proxyTo } from "../testing/proxy.ts";

test("members stand between commas, and empty ones do not count", () => {
  expect(listMembers("")).toEqual([]);
  expect(listMembers(" a ,, b\t,")).toEqual(["a", "b"]);
  expect(listMembers("a,b,c", 2)).toEqual(["a", "b"]);
});

test("a member is found in any line of its field, in any case, among the first 100", () => {
  const list = ["vary", "a, Origin", "x", "c", "vary", "b"];
  expect(hasListMember(list, "vary", "origin")).toBe(true);
  expect(hasListMember(list, "vary", "b")).toBe(true);
  expect(hasListMember(list, "vary", "c")).toBe(false);
  const others = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}`).join(",");
  expect(hasListMember(["vary", others(60), "vary", `${others(39)},b`], "vary", "b")).toBe(true);
  expect(hasListMember(["vary", others(60), "vary", `${others(40)},b`], "vary", "b")).toBe(false);
});

/** Field lines over bytes that count how often one of them is read. */
function countedLines(count: number): { lines: FieldLines; reads: () => number } {
  let reads = 0;
  const bytes = Buffer.from(Array.from({ length: count }, (_, i) => `x-${1000 + i}: v\r\n`).join("") + "\r\n");
  const counted = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) reads++;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const lines = new FieldLines(counted, 0);
  lines.end = bytes.length;
  for (let i = 0; i < count; i++) lines.spans.push(i * 11, i * 11 + 6, i * 11 + 8, i * 11 + 9);
  return { lines, reads: () => reads };
}

test("to leave out what connection names takes work that is linear in its options and the fields", () => {
  const work = (count: number) => {
    const options = Array.from({ length: count }, (_, i) => `y-${1000 + i}`).join(",");
    const { lines, reads } = countedLines(count);
    const names = withoutConnection(new ListedFields(["connection", options]), new FieldNames(["host"]));
    expect(lines.listWithout(names)).toHaveLength(2 * count);
    return reads();
  };
  expect(work(80)).toBeLessThanOrEqual(2 * work(40));
});

const tooMany = Array.from({ length: maxListMembers + 1 }, (_, i) => `x-${i}`).join(", ");

test("a request whose field connection names thousands of options is refused before it costs anything", async () => {
  await using backend = await RawBackend.listen(async (conn) => {
    await conn.through("\r\n\r\n");
    conn.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  await using proxy = await proxyTo([backend.address]);
  expect((await proxy.ask(request("GET /", { connection: tooMany }))).status).toBe(431);
  const twice = `GET / HTTP/1.1\r\nhost: a\r\nconnection: ${tooMany.slice(0, 300)}\r\nconnection: ${tooMany.slice(300)}\r\n\r\n`;
  expect((await proxy.ask(twice)).status).toBe(431);
  expect((await proxy.ask(request("GET /", { connection: "a, b, c" }))).status).toBe(200);
});

test("an answer of a node whose field connection names thousands of options is a 502", async () => {
  await using backend = await RawBackend.listen(async (conn) => {
    await conn.through("\r\n\r\n");
    conn.send(`HTTP/1.1 200 OK\r\nconnection: ${tooMany}\r\ncontent-length: 0\r\n\r\n`);
  });
  await using proxy = await proxyTo([backend.address]);
  expect((await proxy.ask("GET /")).status).toBe(502);
  expect(proxy.log.join("")).toContain("connection names more than 100 options");
});
