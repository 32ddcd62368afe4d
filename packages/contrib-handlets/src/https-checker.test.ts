import { describe, expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";

describe("over http", () => {
  test.each([
    ["", "site.example", "/a%20b/c?d=e&f", "https://site.example/a%20b/c?d=e&f"],
    ["", "Site.Example:8080", "/", "https://site.example/"],
    ["", "site.example", "//evil.example/", "https://site.example//evil.example/"],
    ["", "[::1]:80", "/a", "https://[::1]/a"],
    [".port = 8443", "site.example:8080", "/a", "https://site.example:8443/a"],
  ])("with { %s }, %s%s is sent to https", async (props, host, path, location) => {
    await using site = await serveSite(`httpsChecker { .maxAge = 365d ${props} }`);
    const answer = await site.ask(`POST ${path}`, { host });
    expect(answer).toMatchObject({ status: 308, headers: { location }, text: "" });
    // RFC 6797 7.2: never over http, where anybody could have written it.
    expect(answer.headers["strict-transport-security"]).toBeUndefined();
  });

  test("HTTP/1.0 without a host gets 403", async () => {
    await using site = await serveSite("httpsChecker {}");
    expect((await site.ask("GET /", { host: "" })).status).toBe(403);
  });

  test("a real socket sees the redirect", async () => {
    await using site = await serveSite("httpsChecker {}");
    expect((await site.askFrom("127.0.0.1", "/a")).status).toBe(308);
  });
});

describe("over https", () => {
  test.each([
    ["", undefined],
    [".maxAge = 0s", "max-age=0"],
    [".maxAge = 30d", "max-age=2592000"],
    [".maxAge = 1500ms .includeSubDomains = true", "max-age=1; includeSubDomains"],
    [".maxAge = 365d .includeSubDomains = true .preload = true", "max-age=31536000; includeSubDomains; preload"],
  ])("{ %s } lets requests through with the field %j", async (props, policy) => {
    await using site = await serveSite(`httpsChecker { ${props} }`);
    const answer = await site.ask("GET https://site.example/");
    expect(answer).toMatchObject({ status: 200, text: "passed" });
    expect(answer.headers["strict-transport-security"]).toBe(policy);
  });

  test.each([
    ["/fail", 500],
    ["/teapot", 418],
    ["/missing", 404],
  ])("errors have the field too: %s", async (path, status) => {
    await using site = await serveSite("httpsChecker { .maxAge = 30d }");
    const answer = await site.ask(`GET https://site.example${path}`);
    expect(answer).toMatchObject({ status, headers: { "strict-transport-security": "max-age=2592000" } });
  });

  test("it takes a new policy while it runs", async () => {
    await using site = await serveSite("httpsChecker {}");
    site.change("webapp.site/rule.1/httpsChecker", { maxAge: 5000 });
    const { headers } = await site.ask("GET https://site.example/");
    expect(headers["strict-transport-security"]).toBe("max-age=5");
  });
});

test("behind a proxy that ends TLS, it goes by what that says of its clients, if it is trusted", async () => {
  const checker = "httpsChecker { .maxAge = 30d }";
  await using site = await serveSite(checker, "127.0.0.1:0", '.trustForwarded = ("127.0.0.1")');
  const location = "https://site.example/a";
  const sent = { status: 308, headers: { location } };
  const passed = { status: 200, headers: { "strict-transport-security": "max-age=2592000" } };
  expect(await site.ask("GET /a", { "x-forwarded-proto": "http" })).toMatchObject(sent);
  expect(await site.ask("GET /a", { "x-forwarded-proto": "https" })).toMatchObject(passed);
  await using other = await serveSite(checker);
  expect(await other.ask("GET /a", { "x-forwarded-proto": "https" })).toMatchObject(sent);
});

test.each([
  [".includeSubDomains = true", /\.includeSubDomains needs \.maxAge/],
  [".preload = true", /\.preload needs \.maxAge/],
  [".maxAge = 364d .includeSubDomains = true .preload = true", /\.preload needs \.maxAge = 365d or more/],
  [".maxAge = 365d .preload = true", /and \.includeSubDomains/],
  [".port = 0", /from 1 to 65535/],
])("refuses the configuration { %s }", async (props, message) => {
  await expect(serveSite(`httpsChecker { ${props} }`)).rejects.toThrow(message);
});
