// http3Backend before servers that others wrote: Caddy, whose QUIC is quic-go, and the server of ngtcp2.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type TestContext } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";
import { curl, proxyBefore } from "./proxy-before.ts";

const content = Buffer.alloc(5_000_000, "0123456789abcdef-");

interface Folder extends AsyncDisposable {
  readonly path: string;
}

/** With `files/large`, and a certificate for localhost that vouches for itself. */
async function makeFolder(context: TestContext): Promise<Folder> {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-backends-"));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "node.key"];
  const names = ["-subj", "/CN=node", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const request = ["req", "-x509", ...key, "-out", "node.crt", ...names];
  execFileSync(peer("openssl", context), request, { cwd: folder.path, stdio: "ignore" });
  await mkdir(join(folder.path, "files"));
  await writeFile(join(folder.path, "files", "large"), content);
  return folder;
}

test("Caddy serves files over HTTP/3 through the proxy, and passes on what is uploaded", async (context) => {
  const program = peer("curl", context);
  const caddy = peer("caddy", context);
  await using folder = await makeFolder(context);
  const echo = createServer((request, response) => void request.pipe(response)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const port = await freePort();
  const conf = join(folder.path, "Caddyfile");
  await writeFile(
    conf,
    `{
  admin off
  auto_https off
  storage file_system ${folder.path}/caddy
  servers {
    protocols h1 h3
  }
}
https://localhost:${port}, https://127.0.0.1:${port} {
  tls ${folder.path}/node.crt ${folder.path}/node.key
  reverse_proxy /up 127.0.0.1:${(echo.address() as AddressInfo).port}
  header x-proto {http.request.proto}
  root * ${folder.path}/files
  file_server
}
`,
  );
  await using _ = await startPeer(caddy, ["run", "--config", conf, "--adapter", "caddyfile"], port);
  const settings = { tlsCA: join(folder.path, "node.crt"), tlsServerName: "localhost" };
  // Caddy has a site for this host only.
  const host = ["-H", `host: localhost:${port}`];
  try {
    await using proxy = await proxyBefore(port, "http3Backend", settings);
    const file = join(folder.path, "files", "large");
    expect((await curl(program, ...host, proxy.url + "/large")).equals(content)).toBe(true);
    expect((await curl(program, ...host, "-T", file, proxy.url + "/up")).equals(content)).toBe(true);
    expect(String(await curl(program, ...host, "-r", "16-32", proxy.url + "/large"))).toBe("-0123456789abcdef");
    expect(String(await curl(program, ...host, "-I", proxy.url + "/none"))).toMatch(
      /^HTTP\/1.1 404 [^]*x-proto: HTTP\/3/i,
    );
    // One connection that does not trust it.
    await using distrusting = await proxyBefore(port, "http3Backend", { tlsServerName: "localhost" });
    const status = ["-o", "/dev/null", "-w", "%{http_code}"];
    expect(String(await curl(program, ...status, ...host, distrusting.url))).toBe("502");
  } finally {
    echo.close();
    echo.closeAllConnections();
  }
});

test("the server of ngtcp2 has the proxy prove its address by Retry, and serves it", async (context) => {
  const program = peer("curl", context);
  const gtlsserver = peer("gtlsserver", context);
  await using folder = await makeFolder(context);
  const port = await freePort();
  const options = ["--validate-addr", "-d", join(folder.path, "files"), "--no-http-dump", "--no-quic-dump"];
  const place = ["127.0.0.1", String(port), join(folder.path, "node.key"), join(folder.path, "node.crt")];
  const child = spawn(gtlsserver, [...options, ...place], { stdio: ["ignore", "pipe", "pipe"] });
  let written = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => (written += bytes.toString()));
  const exited = once(child, "exit");
  try {
    await using proxy = await proxyBefore(port, "http3Backend", {
      tlsCA: join(folder.path, "node.crt"),
      tlsServerName: "localhost",
    });
    const asked = async (): Promise<boolean> =>
      (await curl(program, "--retry", "0", proxy.url + "/large").catch(() => Buffer.alloc(0))).equals(content);
    // It tells nobody when it listens.
    await expect.poll(asked).toBe(true);
    expect(written).toMatch(/Retry/i);
  } finally {
    child.kill();
    await exited;
  }
});
