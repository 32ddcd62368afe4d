import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Listeners } from "../../net/listener.ts";
import { defineHandlet } from "../kinds.ts";

const silent = defineHandlet({ sign: "silent", create: () => ({ handle: () => Promise.resolve(false) }) });

const config = `stage {
    httpxServer "main" { .webapps = ("shop", "own", "open") .address = "127.0.0.1:0" }
    webapp "shop" {
        .hostnames = ("*")
        rule "named" $query_name == "x" || $header_x_name == "x" { .returnText = "x" }
        rule { silent {} }
    }
    webapp "own" { .hostnames = ("own.example") .file404 = %baseDir + "/package.json" }
    webapp "open" { .hostnames = ("open.example") .file404 = %baseDir + "/none.html" }
}`;

async function serve(isDevelopment?: boolean) {
  const sink = new MemorySink();
  const stage = await bootWith([pack("test", [silent])]).bootText(config, {
    name: "shop.conf",
    log: openErrorLog({ sink }),
    listeners: new Listeners(),
    ...(isDevelopment === undefined ? {} : { isDevelopment }),
  });
  await stage.start();
  return stage;
}

test.each([undefined, false])("without development mode (%s), 404 tells nothing", async (isDevelopment) => {
  await using stage = await serve(isDevelopment);
  const { status, headers, text } = await stage.inject({ url: "/x", headers: { accept: "text/html" } });
  expect([status, headers["content-type"], text]).toEqual([404, "text/plain; charset=utf-8", "404 Not Found\n"]);
});

test("in development mode the page shows the walk: as text to tools, and never to be kept", async () => {
  await using stage = await serve(true);
  const { status, headers, text } = await stage.inject({ url: "http://a.example/x?y", headers: { accept: "*/*" } });
  expect(status).toBe(404);
  expect(headers).toEqual({
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "content-type": "text/plain; charset=utf-8",
    vary: "Accept",
    "x-content-type-options": "nosniff",
  });
  expect(text).toBe(`404 Not Found

GET http://a.example/x?y

hostname "a.example"
  shop.conf:3:5   webapp "shop"  "*"              wins, nothing else matches
  shop.conf:8:5   webapp "own"   "own.example"    does not match
  shop.conf:9:5   webapp "open"  "open.example"   does not match

path
  received      "/x"
  $encodedPath  the same
  $path         the same

rules of webapp "shop"
  shop.conf:5:9   rule "named"                      no
                    any of                          no
                      $query_name = ""     == "x"   no
                      $header_x_name = ""  == "x"   no
  shop.conf:6:9   rule                              yes
                    no condition
  shop.conf:6:16    handlet silent  was asked       leaves it

outcome
  404  no rule took it

This is development mode; without it, only 404 Not Found is told.
`);
});

test("browsers get it as a page, in which nothing that a peer sends is markup", async () => {
  await using stage = await serve(true);
  const evil = `<script>alert("1")</script>&'`;
  const { headers, text } = await stage.inject({
    url: `http://a.example/%3Cimg%20src=x%3E/<b>?name=${evil.replaceAll(" ", "%20")}`,
    headers: { accept: "text/html,*/*;q=0.8", "x-name": evil },
  });
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  const tags = new Set([...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/class="\w+"/, "class")));
  expect([...tags].sort()).toEqual([
    "<!DOCTYPE html>",
    "</h1>",
    "</p>",
    "</pre>",
    "</span>",
    "</style>",
    "</title>",
    "<h1>",
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="viewport" content="width=device-width">',
    "<p>",
    "<pre>",
    "<span class>",
    "<style>",
    "<title>",
  ]);
  expect(text).toContain("&#34;/&#60;img src=x&#62;/&#60;b&#62;&#34;");
  expect(text).toContain("&#60;script&#62;alert(");
});

test("a page of the webapp's own goes before it, and where that is not there, it stands in", async () => {
  await using stage = await serve(true);
  expect((await stage.inject({ url: "http://own.example/x" })).text).not.toContain("shop.conf");
  expect((await stage.inject({ url: "http://open.example/x" })).text).toContain("shop.conf:9:5");
});
