// Routers and servers of layer 4, with real servers behind them and real clients before them.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { promisify } from "node:util";
import { createServer as createWebServer } from "node:http";
import { bootText, type RouterPart, type ServerPart, type Stage } from "@hemi/hemi";
import { listening } from "@hemi/internal/testing";
import { expect, test, type TestContext } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";
import { startPostgres } from "../src/postgres.ts";

const run = promisify(execFile);
const isRoot = userInfo().uid === 0;

async function booted(text: string, path: string) {
  const stage: Stage = await bootText(`stage { ${text} }`);
  await stage.start();
  const part: RouterPart & ServerPart = stage.find(path)?.part ?? {};
  const port = Number(/:(\d+)$/.exec(part.listensOn?.[0] ?? "")?.[1]);
  return {
    stage,
    port,
    [Symbol.asyncDispose]: async () => {
      await stage.quit(1000);
    },
  };
}

const to = (name: string, port: number, props = "") =>
  `tcpsBackend "${name}" { .nodes = (["address": "127.0.0.1:${port}"]) ${props} }`;
const router = (cases: string, props = "") => `tcpsRouter "main" { .address = "127.0.0.1:0" ${props} ${cases} }`;

async function temporary(): Promise<{ readonly path: string } & AsyncDisposable> {
  return await mkdtempDisposable(join(tmpdir(), "hemi-layer4-"));
}

async function sshServer(context: TestContext, folder: string) {
  const sshd = peer("sshd", context);
  const ssh = peer("ssh", context);
  const port = await freePort();
  const key = async (name: string) => {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
    return join(folder, name);
  };
  const host = await key("host");
  const user = await key("user");
  await writeFile(join(folder, "authorized"), await readFile(`${user}.pub`));
  await chmod(folder, 0o700);
  const config = join(folder, "sshd_config");
  await writeFile(
    config,
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${host}\nAuthorizedKeysFile ${folder}/authorized\n` +
      `StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n`,
  );
  // It separates privileges in a folder that the service makes.
  if (isRoot) await run("mkdir", ["-p", "/run/sshd"]);
  const server = await startPeer(sshd, ["-D", "-f", config], port);
  const ask = async (at: number, command: string) => {
    const options = [
      "StrictHostKeyChecking=no",
      `UserKnownHostsFile=${folder}/known`,
      "BatchMode=yes",
      "LogLevel=ERROR",
    ];
    const args = ["-p", String(at), "-i", user, "-F", "none", ...options.flatMap((each) => ["-o", each])];
    return (await run(ssh, [...args, `${userInfo().username}@127.0.0.1`, command])).stdout;
  };
  return { port, ask, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("ssh, redis-cli and curl share a port", { timeout: 60_000 }, async (context) => {
  const redisServer = peer("redis-server", context);
  const redisCli = peer("redis-cli", context);
  const curl = peer("curl", context);
  await using folder = await temporary();
  await using ssh = await sshServer(context, folder.path);
  const redisPort = await freePort();
  const redisArgs = ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--dir", folder.path];
  await using _redis = await startPeer(redisServer, redisArgs, redisPort);
  await using site = await booted(
    `webapp "w" { .hostnames = ("*") rule { .returnText = "web for " + $srcHost } }
     httpxServer "w" { .webapps = ("w") .address = "127.0.0.1:0" }
     ${to("ssh", ssh.port)} ${to("redis", redisPort)} ` +
      router(
        `case $protocol == "ssh" { tcpsProxy { .toBackend = "ssh" } }
         case $protocol == "redis" { tcpsProxy { .toBackend = "redis" } }
         case $protocol == "http" { handOver { .toServer = "w" } }`,
      ),
    "tcpsRouter.main",
  );
  expect(await ssh.ask(site.port, "echo through the router")).toBe("through the router\n");
  const redis = async (...args: string[]) => (await run(redisCli, ["-p", String(site.port), ...args])).stdout;
  expect(await redis("set", "a", "1")).toBe("OK\n");
  expect(await redis("get", "a")).toBe("1\n");
  expect((await run(curl, ["-sS", `http://127.0.0.1:${site.port}/`])).stdout).toBe("web for 127.0.0.1");
});

test("psql asks PostgreSQL, told by its first message", { timeout: 120_000 }, async (context) => {
  const psql = peer("psql", context);
  await using server = await startPostgres(context);
  await using site = await booted(
    to("db", server.port, '.healthCheck = "tcp"') +
      router('case $protocol == "postgres" { tcpsProxy { .toBackend = "db" } }'),
    "tcpsRouter.main",
  );
  const answer = await run(psql, [
    "-h",
    "127.0.0.1",
    "-p",
    String(site.port),
    "-U",
    "ann",
    "-Atc",
    "select 6*7",
    "postgres",
  ]);
  expect(answer.stdout).toBe("42\n");
});

test("openssl s_client is passed on by its server name, or terminated", async (context) => {
  const openssl = peer("openssl", context);
  await using folder = await temporary();
  const issue = async (name: string) => {
    const [cert, key] = [join(folder.path, `${name}.pem`), join(folder.path, `${name}.key`)];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    await run(openssl, [...request, ...names, "-keyout", key, "-out", cert]);
    return { cert, key };
  };
  const node = await issue("node.example");
  const own = await issue("own.example");
  const other = await issue("other.example");
  const port = await freePort();
  const args = ["s_server", "-accept", `127.0.0.1:${port}`, "-cert", node.cert, "-key", node.key, "-www", "-quiet"];
  await using _server = await startPeer(openssl, args, port);
  const subjectAt = async (at: number, name: string) => {
    const child = spawn(openssl, ["s_client", "-connect", `127.0.0.1:${at}`, "-servername", name], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      if (text.includes("issuer=")) child.stdin.end();
    });
    await once(child, "close");
    return /^subject=(.*)$/m.exec(text)?.[1];
  };
  await using passing = await booted(
    to("n", port) + router('case $serverName == "node.example" { tcpsProxy { .toBackend = "n" } }'),
    "tcpsRouter.main",
  );
  expect(await subjectAt(passing.port, "node.example")).toContain("node.example");
  await using terminating = await booted(
    to("n", port, ".tlsMode = true .tlsVerify = false") +
      router(
        'case { tcpsProxy { .toBackend = "n" } }',
        `.tlsMode = true .tlsCert = "${own.cert}" .tlsKey = "${own.key}" ` +
          `.tlsSites = (["tlsCert": "${other.cert}", "tlsKey": "${other.key}"])`,
      ),
    "tcpsRouter.main",
  );
  expect(await subjectAt(terminating.port, "own.example")).toContain("own.example");
  expect(await subjectAt(terminating.port, "other.example")).toContain("other.example");
});

test("curl goes through socksServer and tunnelServer, with name and password", async (context) => {
  const curl = peer("curl", context);
  await using target = await listening(createWebServer((_req, resp) => resp.end("a page")));
  const access = '.allow = () .users = ["ann": "sesame"] .allowAddresses = ("127.0.0.0/8")';
  const url = `http://localhost:${target.port}/`;
  await using socks = await booted(`socksServer "main" { .address = "127.0.0.1:0" ${access} }`, "socksServer.main");
  const page = async (...args: string[]) => (await run(curl, ["-sS", ...args, url])).stdout;
  for (const option of ["--socks5-hostname", "--socks5"]) {
    expect(await page(option, `ann:sesame@127.0.0.1:${socks.port}`)).toBe("a page");
  }
  await expect(page("--socks5-hostname", `127.0.0.1:${socks.port}`)).rejects.toThrow();
  await using tunnel = await booted(`tunnelServer "main" { .address = "127.0.0.1:0" ${access} }`, "tunnelServer.main");
  const proxy = ["--proxytunnel", "-x", `http://127.0.0.1:${tunnel.port}`];
  expect(await page(...proxy, "-U", "ann:sesame")).toBe("a page");
  await expect(page(...proxy, "-U", "ann:wrong")).rejects.toThrow("407");
  await using open = await booted(
    'socksServer "main" { .address = "127.0.0.1:0" .allowAddresses = ("127.0.0.0/8") }',
    "socksServer.main",
  );
  expect(await page("--socks4a", `127.0.0.1:${open.port}`)).toBe("a page");
});

/** Counts those who come, and greets them. */
async function greeter(): Promise<{ port: number; count: () => number; server: Server }> {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.on("error", () => undefined).end("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, count: () => count, port: address !== null && typeof address === "object" ? address.port : 0 };
}

test("when a node is killed under load, new connections go to the others", async () => {
  const nodes = [await greeter(), await greeter()] as const;
  const list = nodes.map(({ port }) => `["address": "127.0.0.1:${port}"]`).join(", ");
  await using site = await booted(
    `tcpsBackend "n" { .nodes = (${list}) } ${router('case { tcpsProxy { .toBackend = "n" } }')}`,
    "tcpsRouter.main",
  );
  const ask = () => readText(connect(site.port, "127.0.0.1"));
  const answers: string[] = [];
  for (let i = 0; i < 40; i++) {
    if (i === 10) nodes[0].server.close();
    answers.push(...(await Promise.all([ask(), ask()])));
  }
  expect(answers).toEqual(Array<string>(80).fill("hello"));
  expect(nodes[0].count()).toBeLessThan(30);
  nodes[1].server.close();
});
