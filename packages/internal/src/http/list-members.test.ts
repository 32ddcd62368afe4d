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

/** The field lines `x-1000: v` to so many. */
function linesOf(count: number): FieldLines {
  const lines = new FieldLines();
  lines.text = Array.from({ length: count }, (_, i) => `x-${1000 + i}: v\r\n`).join("") + "\r\n";
  for (let i = 0; i < count; i++) lines.spans.push(i * 11, i * 11 + 6, i * 11 + 8, i * 11 + 9);
  return lines;
}

/** The same names, which count how often one of them is looked at. */
function counted(names: FieldNames): { names: FieldNames; looks: () => number } {
  let looks = 0;
  const { has, ofLength } = names;
  names.has = (name) => {
    looks++;
    return has.call(names, name);
  };
  names.ofLength = (length) =>
    new Proxy(ofLength.call(names, length), {
      get(target, key) {
        if (typeof key === "string" && /^\d+$/.test(key)) looks++;
        return Reflect.get(target, key, target) as unknown;
      },
    });
  return { names, looks: () => looks };
}

test("to leave out what connection names takes work that is linear in its options and the fields", () => {
  const work = (count: number) => {
    const options = Array.from({ length: count }, (_, i) => `y-${1000 + i}`).join(",");
    const connection = new ListedFields(["connection", options]);
    const { names, looks } = counted(withoutConnection(connection, new FieldNames(["host"])));
    expect(linesOf(count).listWithout(names)).toHaveLength(2 * count);
    expect(looks()).toBeGreaterThan(0);
    return looks();
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
