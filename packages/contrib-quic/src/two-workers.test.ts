// http3Server in a program with two workers, which share the port.

import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { QuicClient } from "./testing/quic-client.ts";

const hemi = fileURLToPath(new URL("../../procman/src/main.ts", import.meta.url));
const contrib = fileURLToPath(new URL("./index.ts", import.meta.url));

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
  steer(command: string): void;
}

async function serve(folder: string): Promise<Program> {
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost " +
    "-addext subjectAltName=DNS:localhost -keyout site.key -out site.crt";
  execFileSync("openssl", request.split(" "), { cwd: folder, stdio: "ignore" });
  const port = await freePort();
  await writeFile(join(folder, "pid.mjs"), "export default (_req, resp) => resp.end(String(process.pid));\n");
  await writeFile(
    join(folder, "hemi.conf"),
    `stage {
      webapp "site" {
        .hostnames = ("*") .tlsCert = ("${folder}/site.crt") .tlsKey = ("${folder}/site.key")
        rule { nodeHandlet { .module = "./pid.mjs" } }
      }
      http3Server "main" { .address = "127.0.0.1:${port}" }
    }`,
  );
  const args = ["--conditions=@hemi/source", hemi];
  const more = ["serve", "--workers", "2", "--use", contrib, "--webui", "off"];
  const child = spawn(process.execPath, [...args, ...more], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let written = "";
  child.stderr.on("data", (bytes: Buffer) => (written += bytes.toString()));
  const closed = once(child, "close");
  await Promise.race([expect.poll(() => written, { timeout: 120_000 }).toMatch(/leads 2 workers/), closed]);
  if (child.exitCode !== null) throw new Error(written);
  return {
    port,
    steer: (command) => void execFileSync(process.execPath, [...args, command], { cwd: folder }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}

/** The workers that answered several requests, one after the other, on a connection of its own. */
async function workersAt(port: number): Promise<readonly string[]> {
  await using client = await QuicClient.connect({ port });
  const pids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { status, content } = await client.ask();
    expect(status).toBe("200");
    pids.push(content.toString());
  }
  return pids;
}

async function askTwentyTimes(port: number): Promise<readonly (readonly string[])[]> {
  return await Promise.all(Array.from({ length: 20 }, () => workersAt(port)));
}

test("each connection stays with one of two workers, and new ones are served after a rework", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-workers-"));
  await using program = await serve(folder.path);
  const before = await askTwentyTimes(program.port);
  expect(before.map((pids) => new Set(pids).size)).toEqual(Array(20).fill(1));
  const former = new Set(before.flat());
  expect(former.size).toBe(2);
  program.steer("rework");
  const after = await askTwentyTimes(program.port);
  expect(after.map((pids) => new Set(pids).size)).toEqual(Array(20).fill(1));
  expect(after.flat().filter((pid) => former.has(pid))).toEqual([]);
}, 180_000);
