// quicRouter between clients and servers that others wrote: Chromium and ngtcp2 before it, Caddy and ngtcp2 behind it.

import { execFile, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import contrib from "@hemi/contrib-quic";
import { bootText, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test, type TestContext } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
let server: Stage | undefined;
/** The SHA-256 of the certificate's public key, which Chromium takes for trust. */
let pin: string;

beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "hemi-quic-router-"));
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost " +
    "-addext subjectAltName=DNS:localhost,DNS:other.localhost -keyout site.key -out site.crt";
  await run("openssl", request.split(" "), { cwd: folder.path });
  const certificate = new X509Certificate(await readFile(join(folder.path, "site.crt")));
  pin = createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  await writeFile(join(folder.path, "large.bin"), Buffer.alloc(3_000_000, "0123456789"));
  server = await started(`
    webapp "site" {
      .hostnames = ("*") .webRoot = "${folder.path}"
      .tlsCert = ("${folder.path}/site.crt") .tlsKey = ("${folder.path}/site.key")
      rule $path == "/" { .returnText = "from http3Server" }
      rule { static {} }
    }
    http3Server "main" { .webapps = ("site") .address = "127.0.0.1:0" }`);
});

afterAll(async () => {
  await server?.quit(1000);
  await folder[Symbol.asyncDispose]();
});

async function started(text: string): Promise<Stage> {
  const stage = await bootText(`stage { ${text} }`, { use: [contrib] });
  await stage.start();
  return stage;
}

function portOf(stage: Stage | undefined, path: string): number {
  const { listensOn = [] } = (stage?.find(path)?.part ?? {}) as { listensOn?: readonly string[] };
  return Number(listensOn[0]?.split(":").at(-1));
}

/** The last case, for what no other one takes. */
const toOurs = 'case "ours" $nextProto == "h3" { quicProxy { .toBackend = "ours" } }';

/** A router: connections for other.localhost go to `other`, the rest as `rest` says. */
async function routeTo(other: number, rest = toOurs) {
  const stage = await started(`
    quicBackend "ours" { .nodes = (["address": "127.0.0.1:${portOf(server, "http3Server.main")}"]) }
    quicBackend "other" { .nodes = (["address": "127.0.0.1:${other}"]) .healthCheck = "quic" }
    quicRouter "main" {
      .address = "127.0.0.1:0"
      .connLog = ["file": "${folder.path}/conns.log", "format": $serverName + " " + $nextProto + " " + $case]
      case "other" $serverName == "other.localhost" { quicProxy { .toBackend = "other" } }
      ${rest}
    }`);
  return { port: portOf(stage, "quicRouter.main"), [Symbol.asyncDispose]: () => stage.quit(1000) };
}

/** A UDP port that nobody receives at. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Caddy with HTTP/3 at a port of UDP, which answers any path. */
async function startCaddy(context: TestContext) {
  const caddy = peer("caddy", context);
  const port = await freePort();
  const file = join(folder.path, "Caddyfile");
  await writeFile(
    file,
    `{
      admin off
      auto_https off
      storage file_system ${folder.path}/storage
    }
    https://:${port} {
      bind 127.0.0.1
      tls ${folder.path}/site.crt ${folder.path}/site.key
      respond "from Caddy"
    }
    `,
  );
  const process = await startPeer(caddy, ["run", "--config", file, "--adapter", "caddyfile"], port);
  return { port, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** The server of ngtcp2, which lets clients migrate. It has no port of TCP that could be waited for. */
async function startNgtcp2(context: TestContext) {
  const program = peer("gtlsserver", context);
  const port = await freeUdpPort();
  const args = [
    "-d",
    folder.path,
    "127.0.0.1",
    String(port),
    join(folder.path, "site.key"),
    join(folder.path, "site.crt"),
  ];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (bytes: Buffer) => (log += bytes.toString()));
  const exited = once(child, "exit");
  return {
    port,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}

/** Downloads the large file with the client of ngtcp2. Returns what it has logged. */
async function download(context: TestContext, port: number, more: readonly string[]): Promise<string> {
  const gtlsclient = peer("gtlsclient", context);
  const options = ["--no-http-dump", "--no-quic-dump", "--exit-on-all-streams-close"];
  const url = `https://localhost:${port}/large.bin`;
  const got = join(folder.path, "got");
  await run("mkdir", ["-p", got]);
  const { stdout, stderr } = await run(
    gtlsclient,
    [...options, ...more, "--download", got, "127.0.0.1", String(port), url],
    { cwd: folder.path, maxBuffer: 100_000_000, timeout: 20_000 },
  );
  const original = await readFile(join(folder.path, "large.bin"));
  expect(original.equals(await readFile(join(got, "large.bin")))).toBe(true);
  return stdout + stderr;
}

test("Chromium reaches http3Server and Caddy by their names, at one port", async (context) => {
  await using caddy = await startCaddy(context);
  await using router = await routeTo(caddy.port);
  const origins = ["localhost", "other.localhost"].map((name) => `${name}:${router.port}`);
  const browser = await launchChromium(peer("chromium", context), [
    `--origin-to-force-quic-on=${origins.join(",")}`,
    `--ignore-certificate-errors-spki-list=${pin}`,
    "--host-resolver-rules=MAP * 127.0.0.1",
  ]);
  try {
    const page = await browser.newPage();
    const texts: unknown[] = [];
    for (const origin of origins) {
      await page.goto(`https://${origin}/`);
      texts.push(await page.evaluate("document.body.innerText"));
      const protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol";
      expect(await page.evaluate(protocol)).toBe("h3");
    }
    expect(texts).toEqual(["from http3Server", "from Caddy"]);
  } finally {
    await browser.close();
  }
}, 60_000);

test("ngtcp2 downloads through the router, and updates its keys on the way", async (context) => {
  await using router = await routeTo(9);
  const log = await download(context, router.port, ["--key-update=1ms"]);
  expect(log).toContain("Initiate key update");
});

test("a connection of ngtcp2 goes on when a NAT gives it another port", async (context) => {
  await using node = await startNgtcp2(context);
  await using router = await routeTo(node.port, 'case { quicProxy { .toBackend = "other" } }');
  // In the middle of a download, a client may have nothing to send, and nobody would learn of its other port.
  const options = ["--change-local-addr=1ms", "--nat-rebinding", "--delay-stream=200ms"];
  const log = await download(context, router.port, options);
  expect(log).toContain("Changing local address");
  // The server has seen another address of the router, and made sure of it.
  await expect.poll(node.log).toMatch(/Path validation against path .* succeeded/);
}, 30_000);
