// Conditions on networks, on any case of letters, and what becomes of the groups of their expressions.

import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import type { Stage } from "../../stage.ts";

async function serve(rules: string): Promise<Stage> {
  const text = `stage {
    webapp "app" { .hostnames = ("*") ${rules} rule { .returnText = "none" } }
    httpxServer "main" { .address = "127.0.0.1:0" .trustForwarded = ("127.0.0.0/8", "::1") }
  }`;
  const stage = await bootWith([]).bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  return stage;
}

describe("networks", () => {
  test.each([
    ['in "10.0.0.0/8"', { "10.1.2.3": true, "11.0.0.1": false, "::ffff:10.1.2.3": true }],
    ['in ("10.0.0.0/8", "::2", "2001:db8::/32")', { "::2": true, "2001:db8::9": true, "2001:db9::9": false }],
    ['!in ("10.0.0.0/8", "::1")', { "10.1.2.3": false, "192.0.2.1": true }],
  ])("$srcHost %s", async (test, hosts) => {
    await using stage = await serve(`rule $srcHost ${test} { .returnText = "yes" }`);
    for (const [srcHost, isIn] of Object.entries(hosts)) {
      const { text } = await stage.inject({ url: "/", headers: { "x-forwarded-for": srcHost } });
      expect([srcHost, text]).toEqual([srcHost, isIn ? "yes" : "none"]);
    }
  });

  test("a field that holds no address is in none", async () => {
    await using stage = await serve('rule $header_x in "0.0.0.0/0" { .returnText = "yes" }');
    expect((await stage.inject({ url: "/", headers: { x: "10.0.0.0/8" } })).text).toBe("none");
    expect((await stage.inject({ url: "/" })).text).toBe("none");
  });

  test.each([
    [
      '$srcHost == ("10.0.0.0/8", "::1")',
      /"10.0.0.0\/8" is a network, and == compares texts[^]*write \$srcHost in "10/,
    ],
    ['$srcHost != "10.0.0.0/8"', /write \$srcHost !in/],
    ['$srcHost in "10.0.0.0/33"', /is no network such as/],
    ['$srcHost in "localhost"', /is no network such as/],
  ])("%s is a mistake", async (condition, message) => {
    await expect(serve(`rule ${condition} {}`)).rejects.toThrow(message);
  });
});

test("$scheme is that by which the client came to a trusted proxy", async () => {
  await using stage = await serve('rule $scheme == "https" { .returnText = "yes" }');
  for (const [proto, text] of Object.entries({ https: "yes", http: "none" })) {
    expect((await stage.inject({ url: "/", headers: { "x-forwarded-proto": proto } })).text).toBe(text);
  }
});

test("~* and !~* take letters of any case", async () => {
  await using stage = await serve('rule $header_x ~* "^curl/\\d" { .returnText = "yes" }');
  await using other = await serve('rule $header_x !~* "^curl/\\d" { .returnText = "yes" }');
  const ask = async (x: string) =>
    (await Promise.all([stage, other].map((one) => one.inject({ url: "/", headers: { x } })))).map(({ text }) => text);
  expect(await ask("CURL/8")).toEqual(["yes", "none"]);
  expect(await ask("wget")).toEqual(["none", "yes"]);
});

describe("named groups", () => {
  test("are variables in texts, fields and conditions behind", async () => {
    await using stage = await serve(`
      rule $path ~= "^/user/(?<id>[^/]+)(?:/(?<rest>.*))?$" && $match_id != "root" {
        .returnText = $match_id + ":" + $match_rest + ":" + $match_none
      }`);
    const text = async (url: string) => (await stage.inject({ url })).text;
    expect(await text("/user/ann/a/b")).toBe("ann:a/b:");
    expect(await text("/user/ann")).toBe("ann::");
    expect(await text("/user/root")).toBe("none");
  });

  test.each([
    ["$path", "/old/a%20b/c%3Fd", "/new/a%20b/c%3Fd"],
    ["$encodedPath", "/old/a%20b/c%2Fd", "/new/a%20b/c%2Fd"],
  ])(
    "of %s keep their slashes in the path of a location, and make nothing else of it",
    async (variable, url, location) => {
      await using stage = await serve(`
      rule ${variable} ~= "^/old/(?<rest>.*)$" { .returnCode = 301 .returnText = "/new/" + $match_rest }`);
      const { headers } = await stage.inject({ url });
      expect(headers["location"]).toBe(location);
    },
  );

  test("cannot send a client to another host, nor upwards", async () => {
    await using stage = await serve(`
      rule $query_to ~= "^(?<to>.*)$" { .returnCode = 302 .returnText = "/" + $match_to }`);
    expect((await stage.inject({ url: "/?to=/evil.example" })).headers["location"]).toBe("/evil.example");
    expect((await stage.inject({ url: "/?to=../x" })).status).toBe(400);
  });

  test("are those of the expression that holds, of several", async () => {
    await using stage = await serve('rule $path ~= ("^/a/(?<x>.)$", "^/b/(?<x>.)$") { .returnText = $match_x }');
    expect((await stage.inject({ url: "/b/2" })).text).toBe("2");
  });
});

test("whether a field is there is asked by comparing it with nothing", async () => {
  await using stage = await serve('rule $header_x == "" { .returnText = "missing" }');
  expect((await stage.inject({ url: "/" })).text).toBe("missing");
  expect((await stage.inject({ url: "/", headers: { x: "1" } })).text).toBe("none");
});

test("hemi explain shows the networks, and what a location is made of", async () => {
  await using stage = await serve(`
    rule $srcHost in ("10.0.0.0/8", "127.0.0.0/8") && $path ~= "^/old/(?<rest>.*)$" {
      .returnCode = 301 .returnText = "/new/" + $match_rest
    }`);
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const told = JSON.stringify(await stage.explain({ url: `http://${listensOn}/old/x` }));
  expect(told).toContain(
    '"operator":"in","patterns":["10.0.0.0/8","127.0.0.0/8"],"value":"127.0.0.1","fitting":["127.0.0.0/8"]',
  );
  expect(told).toContain("/new/x");
});

test.each(["/admin/%0Ax", "/admin/x%0D%0A", "/admin/%E2%80%A8", "/admin/x/y"])(
  "a line end in the path, as in %s, does not get past an expression with dots",
  async (url) => {
    await using stage = await serve('rule $path ~= "^/admin/.*$" { .returnCode = 403 }');
    expect((await stage.inject({ url })).status).toBe(403);
  },
);
