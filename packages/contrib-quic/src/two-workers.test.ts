// http3Server in a program with two workers, which share the port: connections through a reload and a rework.

import { execFile, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { QuicClient } from "./testing/quic-client.ts";

const hemi = fileURLToPath(new URL("../../procman/src/main.ts", import.meta.url));
const contrib = fileURLToPath(new URL("./index.ts", import.meta.url));

/** Answers with the process ID of the worker. `/held` adds a byte to a file, and waits for another one before. */
const pidModule = `
  import { appendFileSync, existsSync } from "node:fs";
  export default (req, resp) => {
    const end = () => resp.end(String(process.pid));
    if (req.url !== "/held") return end();
    appendFileSync("held", ".");
    const timer = setInterval(() => existsSync("answer") && (clearInterval(timer), end()), 20);
  };
`;

/** A port that nobody receives at. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

interface Program extends AsyncDisposable {
  readonly port: number;
  /** Runs a command of the program. */
  steer(command: string): Promise<unknown>;
}

async function serve(folder: string): Promise<Program> {
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost " +
    "-addext subjectAltName=DNS:localhost -keyout site.key -out site.crt";
  execFileSync("openssl", request.split(" "), { cwd: folder, stdio: "ignore" });
  const port = await freePort();
  await writeFile(join(folder, "pid.mjs"), pidModule);
  await writeFile(
    join(folder, "hemi.conf"),
    `stage {
      webapp "site" {
        .hostnames = ("*") .tlsCert = ("${folder}/site.crt") .tlsKey = ("${folder}/site.key")
        rule { nodeHandlet { .module = "./pid.mjs" } }
      }
      http3Server "main" { .idleTimeout = 5m .address = "127.0.0.1:${port}" }
    }`,
  );
  const args = ["--conditions=@hemi/source", hemi];
  const times = ["--patience", "2m", "--grace", "2m"];
  const more = ["serve", "--workers", "2", "--use", contrib, "--webui", "off", ...times];
  const child = spawn(process.execPath, [...args, ...more], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let written = "";
  child.stderr.on("data", (bytes: Buffer) => (written += bytes.toString()));
  const closed = once(child, "close");
  await Promise.race([expect.poll(() => written, { timeout: 120_000 }).toMatch(/leads 2 workers/), closed]);
  if (child.exitCode !== null) throw new Error(written);
  return {
    port,
    steer: (command) => promisify(execFile)(process.execPath, [...args, command], { cwd: folder }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}

/** The workers that answered several requests, one after the other, on a connection of its own. */
async function workersAt(port: number): Promise<readonly string[]> {
  await using client = await QuicClient.connect({ port });
  return await answers(client, 5);
}

async function answers(client: QuicClient, count: number): Promise<readonly string[]> {
  const pids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { status, content } = await client.ask();
    expect(status).toBe("200");
    pids.push(content.toString());
  }
  return pids;
}

/** The configuration with another limit, which a reload applies to the server that runs. */
async function changedConfig(folder: string): Promise<string> {
  const text = await readFile(join(folder, "hemi.conf"), "utf8");
  return text.replace('http3Server "main" {', 'http3Server "main" { .http3MaxStreams = 64');
}

async function askTwentyTimes(port: number): Promise<readonly (readonly string[])[]> {
  return await Promise.all(Array.from({ length: 20 }, () => workersAt(port)));
}

test("each connection stays with its worker through a reload and a rework, and new ones get new workers", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-workers-"));
  await using program = await serve(folder.path);
  let former = new Set<string>();
  await expect
    .poll(async () => {
      const before = await askTwentyTimes(program.port);
      expect(before.map((pids) => new Set(pids).size)).toEqual(Array(20).fill(1));
      former = new Set(before.flat());
      return former.size;
    })
    .toBe(2);
  // The kernel assigns clients anew whenever a worker comes or goes: packets of some of these reach others then.
  await using clients = new AsyncDisposableStack();
  const held: QuicClient[] = [];
  for (let i = 0; i < 6; i++) held.push(clients.use(await QuicClient.connect({ port: program.port })));
  const workersOf = (count: number): Promise<(readonly string[])[]> =>
    Promise.all(held.map((client) => answers(client, count)));
  const workers = await workersOf(1);
  await writeFile(join(folder.path, "hemi.conf"), await changedConfig(folder.path));
  await program.steer("reload");
  expect(await workersOf(2)).toEqual(workers.map(([pid]) => [pid, pid]));
  const replies = held.map((client) => client.ask({ ":path": "/held" }));
  await expect.poll(() => readFile(join(folder.path, "held"), "utf8").catch(() => "")).toBe("......");
  await program.steer("rework");
  await writeFile(join(folder.path, "answer"), "");
  expect((await Promise.all(replies)).map(({ content }) => [content.toString()])).toEqual(workers);
  const after = await askTwentyTimes(program.port);
  expect(after.map((pids) => new Set(pids).size)).toEqual(Array(20).fill(1));
  expect(after.flat().filter((pid) => former.has(pid))).toEqual([]);
}, 180_000);
