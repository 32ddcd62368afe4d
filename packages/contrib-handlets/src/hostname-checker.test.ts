import { expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";

test.each([
  ["shop.example", 200],
  ["SHOP.example:8080", 200],
  ["shop.example.", 200],
  ["a.b.shops.example", 200],
  ["www.anything", 200],
  ["[::1]:80", 200],
  ["shops.example", 421],
  ["evil-shop.example", 421],
  ["127.0.0.1", 421],
  ["[::2]", 421],
])("a request for %s gets %i", async (host, status) => {
  await using site = await serveSite(
    'hostnameChecker { .hostnames = ("shop.example", "*.shops.example", "www.*", "[::1]") }',
  );
  expect((await site.ask("GET /", { host })).status).toBe(status);
});

test("HTTP/1.0 without a host passes `*` only", async () => {
  await using named = await serveSite('hostnameChecker { .hostnames = ("shop.example") }');
  expect((await named.ask("GET /", { host: "" })).status).toBe(421);
  await using any = await serveSite('hostnameChecker { .hostnames = ("*") }');
  expect((await any.ask("GET /", { host: "" })).status).toBe(200);
});

test("it takes new hostnames while it runs", async () => {
  await using site = await serveSite('hostnameChecker { .hostnames = ("a.example") }');
  site.change("webapp.site/rule.1/hostnameChecker", { hostnames: ["b.example"] });
  expect((await site.ask("GET /", { host: "a.example" })).status).toBe(421);
  expect((await site.ask("GET /", { host: "b.example" })).status).toBe(200);
});

test("it needs hostnames", async () => {
  await expect(serveSite("hostnameChecker {}")).rejects.toThrow(/hostnames/);
});
