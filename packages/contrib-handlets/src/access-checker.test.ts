import { expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";
import { VerdictTable } from "@hemi/common";

test("the most specific network decides, whichever list it is in", async () => {
  await using site = await serveSite(`accessChecker {
    .allow = ("127.0.0.0/8", "127.0.2.9")
    .deny = ("127.0.2.0/24", "127.0.3.3")
  }`);
  expect(await site.askFrom("127.0.0.1")).toEqual({ status: 200, text: "passed" });
  expect(await site.askFrom("127.0.2.8")).toEqual({ status: 403, text: "403 Forbidden\n" });
  expect((await site.askFrom("127.0.2.9")).status).toBe(200);
  expect((await site.askFrom("127.0.3.3")).status).toBe(403);
  expect((await site.askFrom("127.0.3.4")).status).toBe(200);
});

test("addresses in neither list are refused unless it says otherwise", async () => {
  await using strict = await serveSite('accessChecker { .allow = ("10.0.0.0/8") }');
  expect((await strict.askFrom("127.0.0.1")).status).toBe(403);
  await using open = await serveSite('accessChecker { .deny = ("127.0.0.2") .otherwise = "allow" }');
  expect((await open.askFrom("127.0.0.1")).status).toBe(200);
  expect((await open.askFrom("127.0.0.2")).status).toBe(403);
});

test("a client that came over IPv6 is checked as one, and `::/0` holds no IPv4 addresses", async () => {
  await using site = await serveSite('accessChecker { .allow = ("::/0") }');
  expect((await site.askFrom("127.0.0.1")).status).toBe(403);
  const table = new VerdictTable([
    ["::/0", true],
    ["2001:db8::/32", false],
    ["2001:db8:1::/48", true],
    ["10.0.0.0/8", false],
  ]);
  expect(table.find("::1")).toBe(true);
  expect(table.find("2001:db8:2::1")).toBe(false);
  expect(table.find("2001:db8:1:9::1")).toBe(true);
  expect(table.find("::ffff:10.1.1.1")).toBe(false);
  expect(table.find("11.1.1.1")).toBeUndefined();
  expect(table.find("")).toBeUndefined();
});

test("it remembers verdicts, and forgets them when its lists change", async () => {
  await using site = await serveSite('accessChecker { .allow = ("127.0.0.1") }');
  const path = "webapp.site/rule.1/accessChecker";
  for (let i = 0; i < 2; i++) expect((await site.ask("GET /")).status).toBe(200);
  site.change(path, { otherwise: "deny", allow: { texts: ["127.0.0.2"], contains: () => false } });
  for (let i = 0; i < 2; i++) expect((await site.ask("GET /")).status).toBe(403);
  site.change(path, { otherwise: "allow" });
  expect((await site.ask("GET /")).status).toBe(200);
});

test.each([
  ["accessChecker {}", /it would let nobody in.*set \.allow/s],
  ['accessChecker { .deny = ("10.0.0.1") }', /it would let nobody in/],
  [
    'accessChecker { .allow = ("10.0.0.0/8") .deny = ("10.1.0.0/8") }',
    /\.deny: "10\.1\.0\.0\/8" stands in \.allow as well/,
  ],
  ['accessChecker { .allow = ("10.0.0.0/33") }', /takes an address such as/],
  ['accessChecker { .otherwise = "maybe" }', /takes "allow" or "deny"/],
])("refuses the configuration %s", async (text, message) => {
  await expect(serveSite(text)).rejects.toThrow(message);
});
