// http2Backend before servers that others wrote: nginx, nghttpd and node:http2, by TLS and without.

import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { createSecureServer, createServer, type ServerHttp2Stream } from "node:http2";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { listening } from "@hemi/internal/testing";
import { expect, test, type TestContext } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";
import { curl, proxyBefore } from "./proxy-before.ts";

type Settings = Readonly<Record<string, string | number | boolean>>;

/** A certificate for localhost that vouches for itself. */
function makeCertificate(openssl: string, folder: string): { readonly tlsCert: string; readonly tlsKey: string } {
  const [tlsCert, tlsKey] = [join(folder, "node.crt"), join(folder, "node.key")];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tlsKey];
  const names = ["-subj", "/CN=node", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync(openssl, ["req", "-x509", ...key, "-out", tlsCert, ...names], { stdio: "ignore" });
  return { tlsCert, tlsKey };
}

const content = Buffer.alloc(5_000_000, "0123456789abcdef-");

/** Gives back what it gets, and says by a trailer that it has all of it. */
function echo(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200 }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-done": "yes" }));
  stream.pipe(stream);
}

async function upAndDown(context: TestContext, port: number, settings: Settings): Promise<void> {
  const program = peer("curl", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-http2-backends-"));
  await using proxy = await proxyBefore(port, "http2Backend", settings);
  const file = join(folder.path, "content");
  await writeFile(file, content);
  const got = await curl(program, "-T", file, proxy.url + "/up");
  expect(got.equals(content)).toBe(true);
  const byHttp2 = await curl(program, "--http2-prior-knowledge", "--data-binary", `@${file}`, proxy.url + "/up");
  expect(byHttp2.equals(content)).toBe(true);
}

test("node:http2 gets what curl uploads through the proxy, and curl gets it back, byte for byte", async (context) => {
  const server = createServer().on("stream", echo);
  await using node = await listening(server);
  await upAndDown(context, node.port, {});
});

test("the same by TLS, where ALPN agrees on HTTP/2 and the node's certificate is looked at", async (context) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-http2-backends-"));
  const { tlsCert, tlsKey } = makeCertificate(peer("openssl", context), folder.path);
  const server = createSecureServer({ cert: readFileSync(tlsCert), key: readFileSync(tlsKey) }).on("stream", echo);
  await using node = await listening(server);
  await upAndDown(context, node.port, { tlsMode: true, tlsCA: tlsCert });
  await using distrusting = await proxyBefore(node.port, "http2Backend", { tlsMode: true });
  const status = ["-o", "/dev/null", "-w", "%{http_code}"];
  expect(String(await curl(peer("curl", context), ...status, distrusting.url))).toBe("502");
});

test("nginx serves files over HTTP/2 through the proxy: whole, ranges, conditions, HEAD, none", async (context) => {
  const program = peer("curl", context);
  const nginx = peer("nginx", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-http2-nginx-"));
  await chmod(folder.path, 0o755);
  await mkdir(join(folder.path, "files"));
  await writeFile(join(folder.path, "files", "large"), content);
  const port = await freePort();
  const conf = join(folder.path, "nginx.conf");
  await writeFile(
    conf,
    `daemon off; pid ${folder.path}/pid; error_log ${folder.path}/error.log;
events {}
http {
  access_log off; client_body_temp_path ${folder.path}/body; proxy_temp_path ${folder.path}/proxy;
  fastcgi_temp_path ${folder.path}/fastcgi; uwsgi_temp_path ${folder.path}/uwsgi; scgi_temp_path ${folder.path}/scgi;
  server { listen 127.0.0.1:${port} http2; root ${folder.path}/files; if_modified_since before; }
}
`,
  );
  await using _ = await startPeer(nginx, ["-p", folder.path, "-e", join(folder.path, "error.log"), "-c", conf], port);
  await using proxy = await proxyBefore(port, "http2Backend");
  expect((await curl(program, proxy.url + "/large")).equals(content)).toBe(true);
  expect(String(await curl(program, "-r", "16-32", proxy.url + "/large"))).toBe("-0123456789abcdef");
  const status = ["-o", "/dev/null", "-w", "%{http_code} %{size_download}"];
  expect(String(await curl(program, ...status, "-I", proxy.url + "/large"))).toMatch(/^200 /);
  expect(String(await curl(program, ...status, proxy.url + "/none"))).toMatch(/^404 /);
  const modified = ["-H", "if-modified-since: Fri, 01 Jan 2038 00:00:00 GMT"];
  expect(String(await curl(program, ...status, ...modified, proxy.url + "/large"))).toBe("304 0");
});

test("nghttpd takes a thousand requests from h2load through the proxy, and none fails", async (context) => {
  const nghttpd = peer("nghttpd", context);
  const h2load = peer("h2load", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-nghttpd-"));
  await writeFile(join(folder.path, "small"), "hello, world!");
  const port = await freePort();
  await using _ = await startPeer(nghttpd, ["--no-tls", "-a", "127.0.0.1", "-d", folder.path, String(port)], port);
  await using proxy = await proxyBefore(port, "http2Backend");
  const { stdout } = await promisify(execFile)(h2load, ["-n", "1000", "-c", "4", "-m", "32", proxy.url + "/small"]);
  expect(stdout).toContain("1000 succeeded, 0 failed, 0 errored, 0 timeout");
  expect(stdout).toContain("1000 2xx");
});
