// HTTP/3 with clients that others wrote: Chromium, whose QUIC is Google's, and ngtcp2.

import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import contrib from "@hemi/contrib-quic";
import { bootText, defineHandlet, pack, type Stage } from "@hemi/hemi";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);
const format = '$method + " " + $path + " " + $status + " " + $version + " " + $tlsResumed';

/** In bytes, of the last upload. */
let received = 0;
const takeContent = defineHandlet({
  sign: "takeContent",
  create: () => ({
    async handle(req, resp) {
      received = 0;
      for await (const piece of req.content) received += piece.length;
      resp.send(String(received));
      return true;
    },
  }),
});

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
let stage: Stage | undefined;
/** The SHA-256 of the certificate's public key, which Chromium takes for trust. */
let pin: string;

beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-peers-"));
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost " +
    "-addext subjectAltName=DNS:localhost -keyout site.key -out site.crt";
  await run("openssl", request.split(" "), { cwd: folder.path });
  const certificate = new X509Certificate(await readFile(join(folder.path, "site.crt")));
  pin = createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  await writeFile(join(folder.path, "large.bin"), Buffer.alloc(3_000_000, "0123456789"));
  await writeFile(join(folder.path, "page.html"), "<!doctype html><title>page</title>");
  stage = await bootText(
    `stage {
      webapp "site" {
        .hostnames = ("*")
        .webRoot = "${folder.path}"
        .tlsCert = ("${folder.path}/site.crt") .tlsKey = ("${folder.path}/site.key")
        .accessLog = ["file": "${folder.path}/access.log", "format": ${format}]
        rule $path == "/hello" { .returnText = "hello, world!" }
        rule $path == "/size" { .maxContentSize = 10M takeContent {} }
        rule { static {} }
      }
      http3Server "quic" { .webapps = ("site") .address = "127.0.0.1:0" }
      httpxServer "tcp" { .webapps = ("site") .address = "127.0.0.1:0" .tlsMode = true }
      http3Server "retries" { .webapps = ("site") .address = "127.0.0.1:0" .retry = "always" .altSvcMaxAge = 0s }
    }`,
    { use: [contrib, pack("http3-peers", [takeContent])] },
  );
  await stage.start();
});

afterAll(async () => {
  await stage?.quit(1000);
  await folder[Symbol.asyncDispose]();
});

function portOf(name: string): string {
  const part = stage?.find(name)?.part;
  const [listensOn = ""] = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
  return listensOn.slice(listensOn.lastIndexOf(":") + 1);
}

/** Arguments of Chromium. It does not come back from ::1, where nobody listens. */
function trust(): readonly string[] {
  return [`--ignore-certificate-errors-spki-list=${pin}`, "--host-resolver-rules=MAP localhost 127.0.0.1"];
}

/** The protocol by which a page came. */
async function protocolOf(page: Page): Promise<unknown> {
  return await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
}

test("Chromium loads pages and large files over HTTP/3", async (context) => {
  const port = portOf("http3Server.quic");
  const browser = await launchChromium(peer("chromium", context), [
    `--origin-to-force-quic-on=localhost:${port}`,
    ...trust(),
  ]);
  try {
    const page = await browser.newPage();
    await page.goto(`https://localhost:${port}/page.html`);
    expect([await page.title(), await protocolOf(page)]).toEqual(["page", "h3"]);
    const size = await page.evaluate("fetch('/large.bin').then(async (r) => (await r.arrayBuffer()).byteLength)");
    expect(size).toBe(3_000_000);
    await expect
      .poll(() => readFile(join(folder.path, "access.log"), "utf8"))
      .toContain("GET /page.html 200 3 false\n");
  } finally {
    await browser.close();
  }
}, 60_000);

test("Chromium comes by TCP, and goes on over HTTP/3 as alt-svc says", async (context) => {
  const url = `https://localhost:${portOf("httpxServer.tcp")}/page.html`;
  // For QUIC, Chromium trusts only its own authorities, apart from hosts that it is forced to use QUIC with. This host
  // is forced, at another port.
  const browser = await launchChromium(peer("chromium", context), [
    "--origin-to-force-quic-on=localhost:1",
    ...trust(),
  ]);
  try {
    const page = await browser.newPage();
    await page.goto(url);
    expect(await protocolOf(page)).toBe("h2");
    const again = async (): Promise<unknown> => {
      await page.goto(url);
      return await protocolOf(page);
    };
    await expect.poll(again).toBe("h3");
  } finally {
    await browser.close();
  }
}, 60_000);

/** Downloads a file with the client of ngtcp2. Returns what it has logged. */
async function download(gtlsclient: string, server: string, path: string, more: readonly string[]): Promise<string> {
  const port = portOf(server);
  const options = ["--no-http-dump", "--no-quic-dump", "--exit-on-all-streams-close"];
  const url = `https://localhost:${port}${path}`;
  const { stdout, stderr } = await run(gtlsclient, [...options, ...more, "localhost", port, url], {
    cwd: folder.path,
    maxBuffer: 100_000_000,
  });
  return stdout + stderr;
}

test("ngtcp2 downloads a file, and updates its keys on the way", async (context) => {
  const original = Buffer.alloc(3_000_000, "0123456789");
  await writeFile(join(folder.path, "served.bin"), original);
  await mkdir(join(folder.path, "got"), { recursive: true });
  const log = await download(peer("gtlsclient", context), "http3Server.quic", "/served.bin", [
    "--download",
    join(folder.path, "got"),
    "--key-update=1ms",
  ]);
  expect(log).toContain("Initiate key update");
  expect(original.equals(await readFile(join(folder.path, "got/served.bin")))).toBe(true);
});

test("ngtcp2 proves its address by Retry", async (context) => {
  const log = await download(peer("gtlsclient", context), "http3Server.retries", "/hello?retry", []);
  expect(log).toMatch(/type=Retry/);
  await expect.poll(() => readFile(join(folder.path, "access.log"), "utf8")).toContain("GET /hello 200 3 false\n");
});

test("ngtcp2 goes on with its session on another connection", async (context) => {
  const gtlsclient = peer("gtlsclient", context);
  const session = ["--session-file", "session", "--tp-file", "parameters"];
  for (let i = 0; i < 2; i++) await download(gtlsclient, "http3Server.quic", "/page.html", session);
  await expect.poll(() => readFile(join(folder.path, "access.log"), "utf8")).toContain("GET /page.html 200 3 true\n");
});

test("ngtcp2 sends content", async (context) => {
  const content = ["--data", join(folder.path, "large.bin")];
  await download(peer("gtlsclient", context), "http3Server.quic", "/size", content);
  await expect.poll(() => readFile(join(folder.path, "access.log"), "utf8")).toContain("GET /size 200 3 false\n");
  expect(received).toBe(3_000_000);
});
