// HTTPS as programs of others see it: curl, and OpenSSL's client.

import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bootText, MemorySink, openErrorLog } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findPeer, peer } from "../src/peers.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hemi-https-"));
  const openssl = findPeer("openssl");
  for (const name of openssl === undefined ? [] : ["open", "club"]) {
    const key = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      join(folder, `${name}.key`),
    ];
    const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}.example`];
    execFileSync(openssl ?? "", ["req", "-x509", ...key, "-out", join(folder, `${name}.crt`), ...names], {
      stdio: "ignore",
    });
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A site whose `club` takes those with a certificate only; its own stands for that of a member, too. */
async function serveSite() {
  const sink = new MemorySink();
  const stage = await bootText(
    `stage {
      webapp "open" {
        .hostnames = ("open.example") .tlsCert = "open.crt" .tlsKey = "open.key"
        rule { httpsChecker { .maxAge = 30d } }
        rule { .returnText = $tlsVersion + " " + $tlsResumed }
      }
      webapp "club" {
        .hostnames = ("club.example") .tlsCert = "club.crt" .tlsKey = "club.key" .tlsClientCert = "required" .tlsClientCA = "club.crt"
        rule { .returnText = $tlsClientSubject + " " + $tlsResumed }
      }
      httpxServer "main" { .webapps = ("open", "club") .address = "127.0.0.1:0" .tlsMode = true }
      httpxServer "plain" { .webapps = ("open") .address = "127.0.0.1:0" }
    }`,
    { baseDir: folder, log: openErrorLog({ sink }) },
  );
  await stage.start();
  const port = (server: string): string => {
    const line = sink.lines.find((line) => line.includes(`${server} listens on`)) ?? "";
    return /:(\d+)\s*$/.exec(line)?.[1] ?? "";
  };
  return {
    port: port("httpxServer.main"),
    plainPort: port("httpxServer.plain"),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

async function curl(program: string, port: string, host: string, ...args: string[]): Promise<string> {
  const to = [
    "--connect-to",
    `${host}:443:127.0.0.1:${port}`,
    "--cacert",
    join(folder, `${host.replace(".example", "")}.crt`),
  ];
  const { stdout } = await promisify(execFile)(program, ["-sS", "-i", ...to, ...args, `https://${host}/`]);
  return stdout;
}

test("curl is answered by both versions of TLS, with the field of RFC 6797, and told where HTTPS is", async (context) => {
  peer("openssl", context);
  const program = peer("curl", context);
  await using site = await serveSite();
  expect(await curl(program, site.port, "open.example")).toMatch(
    /strict-transport-security: max-age=2592000\r\n.*TLSv1\.3 false$/s,
  );
  expect(await curl(program, site.port, "open.example", "--tls-max", "1.2")).toMatch(/TLSv1\.2 false$/);
  const { stdout } = await promisify(execFile)(program, [
    "-sSi",
    "-H",
    "host: open.example",
    `http://127.0.0.1:${site.plainPort}/a`,
  ]);
  expect(stdout).toMatch(/^HTTP\/1\.1 308 .*location: https:\/\/open\.example\/a\r\n/s);
});

test("curl shows its certificate, and is refused without", async (context) => {
  peer("openssl", context);
  const program = peer("curl", context);
  await using site = await serveSite();
  const own = ["--cert", join(folder, "club.crt"), "--key", join(folder, "club.key")];
  expect(await curl(program, site.port, "club.example", ...own)).toMatch(/CN=club false$/);
  await expect(curl(program, site.port, "club.example")).rejects.toThrow("Command failed");
});

/** What OpenSSL's client says when it has sent `input`. */
async function sClient(program: string, port: string, input: string, ...args: string[]): Promise<string> {
  const child = spawn(program, ["s_client", "-connect", `127.0.0.1:${port}`, ...args]);
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  child.stdin.on("error", () => {});
  child.stdin.write(input);
  await new Promise((resolve) => child.once("close", resolve));
  return said;
}

test.for(["-tls1_2", "-tls1_3"])("a session goes on with its own name only (%s)", async (version, context) => {
  const program = peer("openssl", context);
  await using site = await serveSite();
  const session = join(folder, `session${version}`);
  const get = "GET / HTTP/1.1\r\nHost: open.example\r\nConnection: close\r\n\r\n";
  const at = (name: string) => [version, "-servername", `${name}.example`, "-ign_eof"];
  await sClient(program, site.port, get, ...at("open"), "-sess_out", session);
  expect(await sClient(program, site.port, get, ...at("open"), "-sess_in", session)).toMatch(/ true\n?/);
  const stranger = await sClient(program, site.port, get.replace("open", "club"), ...at("club"), "-sess_in", session);
  expect(stranger).not.toMatch(/HTTP\/1\.1 200/);
});

test("a client that renegotiates is shown the door", async (context) => {
  const program = peer("openssl", context);
  await using site = await serveSite();
  const said = await sClient(program, site.port, "R\n", "-tls1_2", "-servername", "open.example");
  expect(said).toContain("RENEGOTIATING");
  expect(said).not.toMatch(/HTTP\/1\.1 200/);
});
