// The forward proxy as curl uses it: plain HTTP in absolute form, HTTPS through a tunnel.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { createServer as createWebServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bootText, type ServerPart } from "@hemi/hemi";
import { listening } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { peer } from "../src/peers.ts";

async function forwardProxy(props: string): Promise<{ url: string } & AsyncDisposable> {
  const stage = await bootText(
    `stage {
      webapp "all" { .hostnames = ("*")  rule { forwardProxy { ${props} } } }
      httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" }
    }`,
  );
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return {
    url: `http://${address}`,
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
    },
  };
}

async function ask(curl: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(curl, ["-sS", "--noproxy", "", ...args]);
  return stdout;
}

test("curl reaches a host by plain HTTP", async (context) => {
  const curl = peer("curl", context);
  await using target = await listening(createWebServer((req, res) => res.end(`${req.url}`)));
  await using proxy = await forwardProxy(`.allowAddresses = ("127.0.0.1") .httpPorts = (${target.port})`);
  const url = `http://localhost:${target.port}/a?b`;
  expect(await ask(curl, "-x", proxy.url, url)).toBe("/a?b");
});

test("curl reaches a host by HTTPS, through a tunnel", async (context) => {
  const curl = peer("curl", context);
  const openssl = peer("openssl", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-forward-"));
  const [key, cert] = ["key", "crt"].map((ending) => join(folder.path, `target.${ending}`));
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(openssl, [...made, ...named, "-keyout", key ?? "", "-out", cert ?? ""], { stdio: "ignore" });
  const pair = { key: await readFile(key ?? ""), cert: await readFile(cert ?? "") };
  const content = "safe and sound ".repeat(50_000);
  await using target = await listening(createSecureServer(pair, (_req, res) => res.end(content)));
  await using proxy = await forwardProxy(`.allowAddresses = ("127.0.0.1") .connectPorts = (${target.port})`);
  const url = `https://localhost:${target.port}/`;
  expect(await ask(curl, "-x", proxy.url, "--cacert", cert ?? "", url)).toBe(content);
});

test("curl is refused what leads inside", async (context) => {
  const curl = peer("curl", context);
  await using proxy = await forwardProxy("");
  for (const host of ["127.0.0.1", "[::1]", "localhost", "[::ffff:127.0.0.1]"]) {
    const written = ["-o", "/dev/null", "-w", "%{http_code}", "-g", "-x", proxy.url];
    expect(await ask(curl, ...written, `http://${host}/`), host).toBe("403");
    const tunnelled = ["-o", "/dev/null", "-w", "%{http_connect}", "-g", "-x", proxy.url, `https://${host}/`];
    await expect(ask(curl, ...tunnelled), host).rejects.toMatchObject({ stdout: "403" });
  }
});
