// A limiter counts for all workers of a program, and a ban holds in all of them.

import { readdir, rm } from "node:fs/promises";
import { get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { isAlive, serve, serveWith, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const config = (limiter: string) => `stage {
    webapp "site" {
        .hostnames = ("*")
        rule { limiter { ${limiter} } }
        rule $path == "/missing" { .returnCode = 404 }
        rule { nodeHandlet { .module = "./pid.ts" } }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;
const pid = `import type { IncomingMessage, ServerResponse } from "node:http";
export default (_req: IncomingMessage, res: ServerResponse) => void res.end(String(process.pid));
`;

/** On a connection of its own, so that the kernel chooses the worker. */
function ask(
  { port }: Program,
  path = "/",
): Promise<{ readonly status: number; readonly text: string; readonly ratelimit: string }> {
  return new Promise((resolve, reject) => {
    get({ agent: false, host: "127.0.0.1", port, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text, ratelimit: String(response.headers["ratelimit"]) }),
      );
    }).on("error", reject);
  });
}

test("a client gets its rate once, not once for each worker", async () => {
  await using folder = await folderWith({ "hemi.conf": config(".rate = 30 .per = 1h"), "pid.ts": pid });
  await using program = await serve(folder.path);
  let passed = 0;
  const workers = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const { status, text } = await ask(program);
    if (status === 200) {
      passed++;
      workers.add(text);
    }
  }
  expect(workers.size).toBe(2);
  // A few more may pass within the milliseconds until the leader is told.
  expect(passed).toBeGreaterThanOrEqual(30);
  expect(passed).toBeLessThan(45);
  await program.end();
});

/** Asks at once, all over one connection, which one worker has. */
async function askOneWorker(
  { port }: Program,
  count: number,
): Promise<{ readonly pid: number; readonly passed: number }> {
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(count));
  let text = "";
  for await (const piece of socket.setEncoding("latin1")) {
    text += String(piece);
    const statuses = text.match(/HTTP\/1\.1 \d+/g) ?? [];
    const pid = /\r\n\r\n(\d+)$/.exec(text)?.[1];
    if (statuses.length < count || pid === undefined) continue;
    return { pid: Number(pid), passed: statuses.filter((status) => status.endsWith("200")).length };
  }
  throw new Error(`the connection has ended: ${text}`);
}

test("what a worker that is killed had leased for a client is there for the client again", async () => {
  await using folder = await folderWith({ "hemi.conf": config(".rate = 1000 .per = 1h"), "pid.ts": pid });
  await using program = await serve(folder.path);
  let passed = 0;
  /** How many tokens are neither left nor used, as the leader tells a worker. */
  const missing = async (): Promise<{ readonly pid: number; readonly tokens: number }> => {
    const { text, ratelimit } = await ask(program);
    passed++;
    return { pid: Number(text), tokens: 1000 - passed - Number(/;r=(\d+)/.exec(ratelimit)?.[1]) };
  };
  let leasing: number | undefined;
  let other: number | undefined;
  for (let round = 0; round < 6 && leasing === undefined; round++) {
    const { pid: busy, passed: more } = await askOneWorker(program, 80);
    passed += more;
    // Until the other worker hears of what the busy one has leased in advance.
    for (let i = 0; i < 20 && leasing === undefined; i++) {
      const { pid, tokens } = await missing();
      if (pid !== busy && tokens > 30) [leasing, other] = [busy, pid];
    }
  }
  if (leasing === undefined) throw new Error("no worker has leased tokens");
  process.kill(leasing, "SIGKILL");
  await program.command.line(/was ended by SIGKILL, and is replaced/);
  // A new worker does not know the client yet.
  const missingByOther = async (): Promise<number> => {
    const { pid, tokens } = await missing();
    return pid === other ? tokens : await missingByOther();
  };
  await expect.poll(missingByOther, { timeout: 10_000 }).toBeLessThanOrEqual(0);
  await program.end();
});

/** A program whose next leader does not say that its workers are ready before the file `ready` is gone. */
const lateMain = `import { existsSync, writeFileSync } from "node:fs";
  import { main } from "${import.meta.resolve("../src/index.ts")}";
  const { emit, send } = process;
  let prepare;
  process.emit = (name, message, ...rest) => {
    if (message?.name === "prepare") prepare = message.id;
    return emit.call(process, name, message, ...rest);
  };
  process.send = (message, ...rest) => {
    const isLate = message["@hemi/procman"] === "result" && message.id === prepare;
    if (!isLate) return send.call(process, message, ...rest);
    writeFileSync("ready", "");
    const timer = setInterval(() => {
      if (existsSync("ready")) return;
      clearInterval(timer);
      send.call(process, message, ...rest);
    }, 20);
    return true;
  };
  await main({ title: "test", config: "hemi.conf" });`;

test("a client gets its rate once, and not once more from the workers of a new leader", async () => {
  const limiter = config(".rate = 100 .per = 1h");
  await using folder = await folderWith({ "hemi.conf": limiter, "pid.ts": pid, "main.mjs": lateMain });
  const options = { cwd: folder.path, detached: true, main: join(folder.path, "main.mjs") };
  await using program = await serveWith(options, "--workers", "2", "--patience", "60s");
  await using _ = { [Symbol.asyncDispose]: () => program.steer("stop").then(() => undefined) };
  let passed = 0;
  const workers = new Set<number>();
  const askMore = async (): Promise<void> => {
    const { status, text } = await ask(program);
    if (status !== 200) return;
    passed++;
    workers.add(Number(text));
  };
  for (let i = 0; i < 20; i++) await askMore();
  const before = await program.call("pids");
  const reworked = program.call("rework", { leader: true });
  await expect.poll(() => readdir(folder.path), { timeout: 60_000 }).toContain("ready");
  for (let i = 0; i < 250; i++) await askMore();
  expect([...workers].some((worker) => !before.workers.includes(worker))).toBe(true);
  await rm(join(folder.path, "ready"));
  expect((await reworked).leader).not.toBe(before.leader);
  for (let i = 0; i < 100; i++) await askMore();
  await expect.poll(() => isAlive(before.leader), { timeout: 60_000 }).toBe(false);
  for (let i = 0; i < 100; i++) await askMore();
  // A few more may pass within the milliseconds until a leader is told, in each of four workers.
  expect(passed).toBeGreaterThanOrEqual(100);
  expect(passed).toBeLessThan(130);
});

test("the only worker leaves the bans to the one that takes its place", async () => {
  const limiter = '.strike = ("404") .maxStrikes = 5 .ban = 1h';
  await using folder = await folderWith({ "hemi.conf": config(limiter), "pid.ts": pid });
  await using program = await serve(folder.path, "--workers", "1");
  for (let i = 0; i < 5; i++) await ask(program, "/missing");
  const status = async () => (await ask(program)).status;
  await expect.poll(status).toBe(403);
  await program.call("rework");
  await expect.poll(status).toBe(403);
  await program.end();
});

test("a client that is banned is banned in all workers, and by one that takes the place of another", async () => {
  const limiter = '.strike = ("404") .maxStrikes = 5 .ban = 1h';
  await using folder = await folderWith({ "hemi.conf": config(limiter), "pid.ts": pid });
  await using program = await serve(folder.path);
  for (let i = 0; i < 10; i++) await ask(program, "/missing");
  const statuses = async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program)));
    return [...new Set(answers.map(({ status }) => status))];
  };
  await expect.poll(statuses).toEqual([403]);
  await program.call("rework");
  await expect.poll(statuses, { timeout: 10_000 }).toEqual([403]);
  await program.end();
});
