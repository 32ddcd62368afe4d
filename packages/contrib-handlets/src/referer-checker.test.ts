import { expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";

const checker = 'refererChecker { .hosts = ("friend.example", "*.friends.example", "search.*") }';

test.each([
  ["https://friend.example/page?q=1", 200],
  ["http://FRIEND.example:8080/", 200],
  ["https://friend.example./", 200],
  ["https://a.b.friends.example/", 200],
  ["https://search.test/", 200],
  ["https://site.example/own", 200],
  ["", 200],
  ["about:blank", 200],
  ["https://friends.example/", 403],
  ["https://evil.example/friend.example", 403],
  ["https://friend.example@evil.example/", 403],
  ["https://friend.example.evil.example/", 403],
  ["/a/path", 403],
  ["friend.example", 403],
  ["ftp://friend.example/", 403],
  ["javascript:void(0)", 403],
  ["-", 403],
])("the referer %j gets %i", async (referer, status) => {
  await using site = await serveSite(checker);
  expect((await site.ask("GET /a.png", { referer })).status).toBe(status);
});

test("a request without a referer passes, but one with two does not", async () => {
  await using site = await serveSite(checker);
  expect((await site.ask("GET /a.png")).status).toBe(200);
  const referer = ["https://friend.example/", "https://evil.example/"];
  expect((await site.ask("GET /a.png", { referer })).status).toBe(403);
});

test("it can want a referer, and one of others only", async () => {
  await using site = await serveSite(
    'refererChecker { .hosts = ("friend.example") .allowEmpty = false .allowSelf = false }',
  );
  const statusFor = async (headers: Record<string, string>) => (await site.ask("GET /", headers)).status;
  expect(await statusFor({})).toBe(403);
  expect(await statusFor({ referer: "about:blank" })).toBe(403);
  expect(await statusFor({ referer: "https://site.example/" })).toBe(403);
  expect(await statusFor({ referer: "https://friend.example/" })).toBe(200);
});

test("without hosts, the site's own pages may", async () => {
  await using site = await serveSite("refererChecker {}");
  expect((await site.ask("GET /", { referer: "https://site.example/" })).status).toBe(200);
  expect((await site.ask("GET /", { referer: "https://other.example/" })).status).toBe(403);
});

test("it takes new hosts while it runs", async () => {
  await using site = await serveSite(checker);
  site.change("webapp.site/rule.1/refererChecker", { hosts: ["new.example"] });
  expect((await site.ask("GET /", { referer: "https://new.example/" })).status).toBe(200);
  expect((await site.ask("GET /", { referer: "https://friend.example/" })).status).toBe(403);
});
