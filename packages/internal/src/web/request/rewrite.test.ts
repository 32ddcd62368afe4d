import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineHandlet, defineReviser } from "../kinds.ts";
import type { Request } from "./request.ts";

/**
 * A stage whose rules are given; `rewrite` does to the request what the function says, `show` answers with what it has
 * become.
 */
async function site(rules: string, rewrite: (req: Request) => void | Promise<void>, webapp = "") {
  const definitions = [
    defineHandlet({
      sign: "rewrite",
      create: () => ({
        handle(req) {
          const done = rewrite(req);
          return done === undefined ? false : done.then(() => false);
        },
      }),
    }),
    defineHandlet({
      sign: "show",
      create: () => ({
        handle(req, resp) {
          const { path, encodedPath, queryString, uri, originalURI } = req;
          resp.sendJSON({ path, encodedPath, queryString, uri, originalURI, query: req.query("q") });
          return true;
        },
      }),
    }),
    defineReviser({
      sign: "mark",
      create: () => ({ rank: 5, reviseResponse: (_req, resp) => (resp.addHeader("x-mark", "1"), undefined) }),
    }),
  ];
  const sink = new MemorySink();
  const stage = await bootWith([pack("test", definitions)]).bootText(
    `stage {
      webapp "site" { .hostnames = ("*") ${webapp} ${rules} }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ level: "debug", sink }) },
  );
  await stage.start();
  return {
    lines: sink.lines,
    async ask(url: string) {
      const answer = await stage.inject({ url });
      const shown: unknown = answer.text.startsWith("{") ? JSON.parse(answer.text) : undefined;
      return { ...answer, shown };
    },
    [Symbol.asyncDispose]: () => stage.quit(),
  };
}

test("a request that was rewritten goes on as if it had come so, and remembers how it came", async () => {
  await using old = await site('rule { rewrite {} } rule $path == "/new/ä" { show {} }', (req) => {
    expect(req.query("q")).toBe("1");
    req.rewrite("/x/../new/%C3%A4?q=2");
  });
  expect((await old.ask("/%6Fld/?q=1")).shown).toEqual({
    path: "/new/ä",
    encodedPath: "/new/%C3%A4",
    queryString: "?q=2",
    uri: "/new/%C3%A4?q=2",
    originalURI: "/%6Fld/?q=1",
    query: "2",
  });
});

test("the next handlet of the rule is asked next, then the rules behind", async () => {
  await using same = await site("rule { rewrite {} show {} }", (req) => req.rewrite("/new"));
  expect((await same.ask("/old")).shown).toMatchObject({ uri: "/new", originalURI: "/old" });
  await using behind = await site(
    'rule $path == "/new" { .returnText = "not asked" } rule { rewrite {} } rule $path == "/new" { show {} }',
    (req) => req.rewrite("/new"),
  );
  expect((await behind.ask("/old")).shown).toMatchObject({ uri: "/new" });
});

test.each([
  ["at once", (req: Request) => req.rewrite("/new", { startAnew: true })],
  [
    "later",
    async (req: Request) => {
      await Promise.resolve();
      req.rewrite("/new", { startAnew: true });
    },
  ],
])("a new start passes over the handlets left and comes to the first rule: %s", async (_when, rewrite) => {
  await using anew = await site('rule $path == "/new" { show {} } rule { rewrite {} show {} }', rewrite);
  expect((await anew.ask("/old")).shown).toMatchObject({ uri: "/new", originalURI: "/old" });
});

test("it remembers the first of several", async () => {
  await using twice = await site("rule { rewrite {} rewrite {} show {} }", (req) => req.rewrite(`${req.uri}x`));
  expect((await twice.ask("/a")).shown).toMatchObject({ uri: "/axx", originalURI: "/a" });
});

test("rules that start anew in a circle end with a 500 and a line in the log", async () => {
  let count = 0;
  await using circle = await site("rule { rewrite {} }", (req) => {
    count++;
    req.rewrite("/again", { startAnew: true });
  });
  expect((await circle.ask("/")).status).toBe(500);
  expect(count).toBe(11);
  expect(circle.lines.join("\n")).toMatch(/the rules started anew 10 times.*in a circle/);
});

test("a reviser is hooked once, however often its rule is entered", async () => {
  await using anew = await site('rule { mark {} } rule $path == "/new" { show {} } rule { rewrite {} }', (req) =>
    req.rewrite("/new", { startAnew: true }),
  );
  expect((await anew.ask("/old")).headers["x-mark"]).toBe("1");
});

test("a reviser that two rules name is hooked once", async () => {
  await using twice = await site(
    'mark "m" {} rule { .revisers = ("m") } rule { .revisers = ("m") show {} }',
    () => undefined,
  );
  expect((await twice.ask("/")).headers["x-mark"]).toBe("1");
});

test.each([
  ["/../x", 400],
  ["/%2e%2e/x", 400],
  ["/%zz", 400],
  ["/%00", 400],
  ["/a\\b", 400],
  ["/%FF", 200],
  ["/x/..%2Fy", 400],
  ["x", 500],
  ["", 500],
  ["//evil.example/x?q", 200],
  ["https://evil.example/", 500],
  ["/a b", 500],
  ["/a\r\nset-cookie: x", 500],
  ["/ä", 500],
  ["/a#b", 500],
  ["/a?b#c", 500],
  [`/${"x".repeat(70_000)}`, 414],
])("rewritten to %j: %i", async (target, status) => {
  await using any = await site("rule { rewrite {} show {} }", (req) => req.rewrite(target));
  expect((await any.ask("/old")).status).toBe(status);
});

test("the access log and $originalURI tell what the client asked for", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-rewrite-"));
  const file = join(folder.path, "access.log");
  {
    const rules = 'rule { rewrite {} } rule { .returnText = $originalURI + " " + $uri }';
    await using logged = await site(rules, (req) => req.rewrite("/new"), `.accessLog = ["file": "${file}"]`);
    expect((await logged.ask("/old?a=1")).text).toBe("/old?a=1 /new");
  }
  expect(await readFile(file, "utf8")).toContain('"GET /old?a=1 HTTP/1.1" 200');
});
