import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { Stage } from "../../stage.ts";
import { RawBackend } from "../../testing/raw-backend.ts";

function boot(rules: string, more = ""): Promise<Stage> {
  const text = `stage {
    webapp "site" { .hostnames = ("*") ${rules} }
    httpxServer "main" { .address = "127.0.0.1:0" }
    ${more}
  }`;
  return bootWith([]).bootText(text, { log: openErrorLog({ sink: new MemorySink() }), env: { APP: "127.0.0.1:3082" } });
}

test("a proxy with .to needs no backend beside it", async () => {
  await using node = await RawBackend.answering(({ line }, conn) => conn.answer(line));
  await using stage = await boot(`rule { httpProxy { .to = ("${node.address}") } }`);
  await stage.start();
  expect((await stage.inject({ url: "/a" })).text).toBe("GET /a HTTP/1.1");
});

test("hemi explain names the backend that it has made", async () => {
  await using stage = await boot('rule { httpProxy { .to = ("127.0.0.1:3081", "/run/app.sock", %env(APP)) } }');
  const told = JSON.stringify(await stage.explain({ url: "http://shop.example/" }));
  expect(told).toContain("asks http1Backend.127.0.0.1:3081, %2Frun%2Fapp.sock, %env(APP) for GET / of shop.example");
  expect(told).toContain("node 127.0.0.1:3081: it is its turn");
  expect(told).toContain("node 127.0.0.1:3082:");
});

test("proxies with equal nodes share it, and those with others do not", async () => {
  await using stage = await boot(`
    rule $path == "/live" { sockProxy { .to = ("127.0.0.1:1") } }
    rule $path == "/a" { httpProxy { .to = ("127.0.0.1:1") } }
    rule { httpProxy { .to = ("127.0.0.1:2") } }`);
  const backends = [...stage.components()].filter(({ sign }) => sign === "http1Backend").map(({ name }) => name);
  expect(backends).toEqual(["127.0.0.1:1", "127.0.0.1:2"]);
});

test("one that is configured under this very name stays apart", async () => {
  const other = 'http1Backend "127.0.0.1:1" { .nodes = (["address": "127.0.0.1:9"]) }';
  await using stage = await boot('rule { httpProxy { .to = ("127.0.0.1:1") } }', other);
  const told = JSON.stringify(await stage.explain({ url: "http://shop.example/" }));
  expect(told).toContain("asks http1Backend.127.0.0.1:1 (of .to) for GET /");
  expect(told).toContain("node 127.0.0.1:1:");
});

test("it goes before a toBackend that is inherited", async () => {
  const other = 'http1Backend "app" { .nodes = (["address": "127.0.0.1:9"]) }';
  await using stage = await boot('.toBackend = "app" rule { httpProxy { .to = ("127.0.0.1:1") } }', other);
  expect(JSON.stringify(await stage.explain({ url: "http://shop.example/" }))).toContain("node 127.0.0.1:1");
});

test.each([
  ['httpProxy { .to = ("127.0.0.1:1") .toBackend = "app" }', /by \.to, or a backend by \.toBackend, not both/],
  ['httpProxy { .to = ("nowhere:x:y") }', /address/],
  ["httpProxy { .to = () }", /\.to takes a list of at least 1 item/],
])("%s is a mistake", async (proxy, message) => {
  const app = 'http1Backend "app" { .nodes = (["address": "127.0.0.1:9"]) }';
  await expect(boot(`rule { ${proxy} }`, app)).rejects.toThrow(message);
});

test("a reload that changes the nodes makes another backend, and keeps the rest", async () => {
  const site = (port: number) => `stage {
    webapp "site" { .hostnames = ("*") rule { httpProxy { .to = ("127.0.0.1:${port}") } } }
    httpxServer "main" { .address = "127.0.0.1:0" }
  }`;
  await using stage = await bootWith([]).bootText(site(1), { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  const { created, dropped, kept } = await stage.reload({ text: site(2) });
  expect(created).toEqual(["webapp.site/rule/httpProxy", "http1Backend.127.0.0.1:2"]);
  expect(dropped).toContain("http1Backend.127.0.0.1:1");
  expect(kept).toContain("httpxServer.main");
});
