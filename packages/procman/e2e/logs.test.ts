import { once } from "node:events";
import { readdir, readFile, rename } from "node:fs/promises";
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderWith, start, type Running } from "./command.ts";

const logged = (settings: string): string => `stage {
    webapp "hello" {
        .hostnames = ("*")
        .accessLog = ["file": %logsDir + "/access.log", "format": $uri${settings}]
        rule { .returnText = "hello" }
    }
    httpxServer "main" {
        .webapps = ("hello")
        .address = "127.0.0.1:0"
    }
}
`;

const listening = /listens on 127\.0\.0\.1:(\d+)/;
const clients = 8;

/** Asks on several connections for one path after the other, until `stop`; gives the paths that were answered. */
function load(port: number): {
  readonly answered: readonly string[];
  reached(count: number): Promise<void>;
  stop(): Promise<void>;
} {
  const answered: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let isStopped = false;
  let next = 0;
  async function client(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isStopped) {
      const path = `/${next++}`;
      await ask(agent, port, path);
      answered.push(path);
      for (const { count, resolve } of waiting) if (answered.length >= count) resolve();
    }
    agent.destroy();
  }
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    answered,
    reached: (count) => new Promise((resolve) => waiting.push({ count, resolve })),
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

function ask(agent: Agent, port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ agent, port, path, host: "127.0.0.1" }, (response) => response.resume().on("end", resolve)).on(
      "error",
      reject,
    );
  });
}

async function quit(command: Running): Promise<string> {
  command.child.kill("SIGTERM");
  const { code, stderr } = await command.finished();
  expect(code).toBe(0);
  return stderr;
}

/** All lines of all files. */
async function linesIn(folder: string): Promise<string[]> {
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")));
  for (const text of texts) expect(text === "" || text.endsWith("\n")).toBe(true);
  return texts.flatMap((text) => text.split("\n")).filter((line) => line !== "");
}

test("a log that is moved under load goes on in a new file at SIGUSR1, and no line is lost", async () => {
  await using folder = await folderWith({ "logged.conf": logged("") });
  const logs = join(folder.path, "logs");
  await using command = start(["serve", "--config", "logged.conf"], { cwd: folder.path });
  const [, port] = await command.line(listening);
  const requests = load(Number(port));
  for (const number of [1, 2, 3]) {
    await requests.reached(requests.answered.length + 300);
    await rename(join(logs, "access.log"), join(logs, `access.log.${number}`));
    command.child.kill("SIGUSR1");
    await expect.poll(() => readdir(logs), { timeout: 10_000 }).toContain("access.log");
    await requests.reached(requests.answered.length + 300);
  }
  await requests.stop();
  const errors = await quit(command);
  expect((await readdir(logs)).toSorted()).toEqual(["access.log", "access.log.1", "access.log.2", "access.log.3"]);
  expect((await linesIn(logs)).toSorted()).toEqual(requests.answered.toSorted());
  expect(errors.match(/opened its logs anew/g)).toHaveLength(3);
  // What Node.js does at this signal by itself.
  expect(errors).not.toContain("Debugger");
});

test("a log that is rotated by size under load loses no line", async () => {
  await using folder = await folderWith({ "logged.conf": logged(', "maxSize": 4K, "keep": 1000') });
  const logs = join(folder.path, "logs");
  await using command = start(["serve", "--config", "logged.conf"], { cwd: folder.path });
  const [, port] = await command.line(listening);
  const requests = load(Number(port));
  await requests.reached(4000);
  await requests.stop();
  const errors = await quit(command);
  expect((await linesIn(logs)).toSorted()).toEqual(requests.answered.toSorted());
  expect((await readdir(logs)).length).toBeGreaterThan(2);
  expect(errors).not.toMatch(/ (?:warn|error) /);
});

test("the error log goes on in a new file at SIGUSR1, too", async () => {
  await using folder = await folderWith({ "logged.conf": logged("") });
  const file = join(folder.path, "hemi.log");
  const args = ["serve", "--config", "logged.conf", "--log-file", "hemi.log"];
  await using command = start(args, { cwd: folder.path });
  const read = (): Promise<string> => readFile(file, "utf8").catch(() => "");
  await expect.poll(read, { timeout: 10_000 }).toMatch(listening);
  await rename(file, `${file}.1`);
  command.child.kill("SIGUSR1");
  await expect.poll(read, { timeout: 10_000 }).toContain("opened its logs anew because of SIGUSR1");
  await quit(command);
  expect(await readFile(file, "utf8")).toContain("ends because of SIGTERM");
  expect(await readFile(`${file}.1`, "utf8")).not.toContain("SIGTERM");
});

test("the second signal, which ends the program at once, costs no line of a request that was answered", async () => {
  await using folder = await folderWith({ "logged.conf": logged("") });
  await using command = start(["serve", "--config", "logged.conf", "--grace", "10m"], { cwd: folder.path });
  const [, port] = await command.line(listening);
  const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  // Then a head that never ends.
  socket.write("GET /answered HTTP/1.1\r\nhost: a\r\n\r\n");
  await once(socket, "data");
  socket.write("GET / HTTP/1.1\r\n");
  command.child.kill("SIGTERM");
  await command.line(/ends because of SIGTERM/);
  command.child.kill("SIGTERM");
  expect((await command.finished()).code).toBe(143);
  socket.destroy();
  expect(await linesIn(join(folder.path, "logs"))).toEqual(["/answered"]);
});
