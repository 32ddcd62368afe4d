// The reverse proxy between real peers: nginx and node:http behind it, curl before it.

import { chmod, mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listening, type Listening } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";
import { curl, proxyBefore } from "./proxy-before.ts";

const nodeServer = (listener: RequestListener): Promise<Listening> => listening(createServer(listener));

test("curl uploads to and downloads from node:http through the proxy, byte for byte", async (context) => {
  const program = peer("curl", context);
  await using backend = await nodeServer((req, res) => {
    res.setHeader("content-type", "application/octet-stream");
    req.pipe(res);
  });
  await using proxy = await proxyBefore(backend.port, "http1Backend");
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-proxy-"));
  const content = Buffer.alloc(5_000_000);
  for (let i = 0; i < content.length; i++) content[i] = (i * 31 + (i >> 8)) & 0xff;
  const file = join(folder.path, "content");
  await writeFile(file, content);
  // Sized, with an `expect: 100-continue` that curl sends for large content; then in chunks.
  expect((await curl(program, "-T", file, proxy.url)).equals(content)).toBe(true);
  const chunked = await curl(program, "-T", file, "-H", "transfer-encoding: chunked", proxy.url);
  expect(chunked.equals(content)).toBe(true);
});

test("an early hint and a trailer of node:http reach curl", async (context) => {
  const program = peer("curl", context);
  await using backend = await nodeServer((_req, res) => {
    res.writeEarlyHints({ link: "</app.css>; rel=preload" });
    res.setHeader("trailer", "x-sum");
    res.write("hello");
    res.addTrailers({ "x-sum": "5" });
    res.end();
  });
  await using proxy = await proxyBefore(backend.port, "http1Backend");
  const text = (await curl(program, "-i", proxy.url)).toString();
  expect(text).toMatch(/^HTTP\/1.1 103 Early Hints\r\nlink: <\/app.css>; rel=preload\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  expect(text).toMatch(/\r\n\r\nhello(?:x-sum: 5)?/);
});

test("files of nginx come through, whole, in part, and not at all where curl has them", async (context) => {
  const program = peer("curl", context);
  const nginx = peer("nginx", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-proxy-nginx-"));
  // nginx's worker is nobody, when root has started it.
  await chmod(folder.path, 0o755);
  await mkdir(join(folder.path, "files"));
  const content = Buffer.alloc(3_000_000, "nginx and hemi ");
  await writeFile(join(folder.path, "files/large"), content);
  const port = await freePort();
  const conf = join(folder.path, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const folders = temporary.map((name) => `${name}_temp_path ${folder.path}/${name};`).join(" ");
  await writeFile(
    conf,
    `daemon off; pid ${folder.path}/pid; events {} http { access_log off; ${folders}
      server { listen 127.0.0.1:${port}; root ${folder.path}/files; } }`,
  );
  await using _nginx = await startPeer(nginx, ["-p", folder.path, "-e", "/dev/null", "-c", conf], port);
  await using proxy = await proxyBefore(port, "http1Backend");
  const url = `${proxy.url}/large`;
  expect((await curl(program, url)).equals(content)).toBe(true);
  expect((await curl(program, "-r", "10-24", url)).toString()).toBe(content.toString("latin1", 10, 25));
  const head = (await curl(program, "-I", url)).toString();
  expect(head).toContain("content-length: 3000000");
  const [, etag = ""] = /^etag: (.*)\r$/m.exec(head) ?? [];
  const known = await curl(program, "-i", "-H", `if-none-match: ${etag}`, url);
  expect(known.toString()).toMatch(/^HTTP\/1.1 304 /);
  // Two on one connection: nothing was left over.
  expect((await curl(program, url, url)).length).toBe(6_000_000);
});
