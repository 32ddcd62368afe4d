// The whole program, as its user meets it: started by `npm start` in a copy of the folder, and steered by its commands.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtempDisposable, readFile, symlink, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { json, text } from "node:stream/consumers";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const packages = join(here, "..", "..", "packages");

const env = {
  ...process.env,
  // The Node.js of the workspace, and the packages by their sources.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
  NODE_OPTIONS: "--conditions=@hemi/source",
  PORT: "0",
  STATION_PORT: "0",
};

/** The folder as a user has it, with the packages installed. */
async function copyOfProgram() {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-program-"));
  for (const name of ["apps", "exts", "jobs", "srvs", "libs", "conf", "main.ts", "pack.ts", "package.json"])
    await cp(join(here, name), join(folder.path, name), { recursive: true });
  await mkdir(join(folder.path, "node_modules", "@hemi"), { recursive: true });
  for (const name of ["hemi", "procman"])
    await symlink(join(packages, name), join(folder.path, "node_modules", "@hemi", name));
  return folder;
}

/** The output of a process, line by line. */
function linesOf(child: ChildProcess): { line(pattern: RegExp): Promise<RegExpExecArray>; readonly text: string } {
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const closed = once(child, "close");
  return {
    get text() {
      return text;
    },
    async line(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match !== null) return match;
        const event = await Promise.race([once(child.stderr ?? child, "data"), closed.then(() => "closed")]);
        if (event === "closed" && !pattern.test(text)) throw new Error(`it ended without ${String(pattern)}: ${text}`);
      }
    },
  };
}

async function send(port: number, line: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(line);
  const [answer] = (await once(createInterface({ input: socket }), "line")) as [string];
  socket.destroy();
  return answer;
}

/** The machine may be busy with other tests. */
const patiently = { timeout: 20_000 };

test("the program serves, plans, reloads, reworks and stops", { timeout: 120_000 }, async () => {
  await using folder = await copyOfProgram();
  const conf = join(folder.path, "conf", "weather.conf");
  async function steer(...args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, ["main.ts", ...args], { cwd: folder.path, env });
    const output = linesOf(child);
    const [code] = (await once(child, "close")) as [number];
    return code === 0 ? output.text : `${code} ${output.text}`;
  }
  expect(await steer("check")).toBe("PASS\n");
  expect(await steer("workers")).toMatch(/^2 .*no program runs there/s);

  const npm = spawn("npm", ["start", "--", "--workers", "2"], { cwd: folder.path, env });
  const output = linesOf(npm);
  const ended = once(npm, "close");
  await using _ = { [Symbol.asyncDispose]: () => steer("stop").then(() => undefined) };
  const [, stationPort] = await output.line(/readingServer\.stations listens on 127\.0\.0\.1:(\d+)/);
  const [, port] = await output.line(/httpxServer\.main listens on 127\.0\.0\.1:(\d+)/);
  await output.line(/leads 2 workers/);
  const { title } = JSON.parse(await steer("leader", "--json")) as { readonly title: string };
  expect(title).toBe("weather");

  /** What each of the two workers knows, asked on new connections. */
  async function known(): Promise<Readonly<Record<string, unknown>>> {
    const byWorker: Record<string, unknown> = {};
    for (let tries = 0; tries < 100 && Object.keys(byWorker).length < 2; tries++) {
      const [answer] = (await once(get(`http://127.0.0.1:${port}/readings`, { agent: false }), "response")) as [
        IncomingMessage,
      ];
      const readings = (await json(answer)) as readonly { readonly station: string; readonly temperature: number }[];
      byWorker[String(answer.headers["x-worker"])] = readings.map((one) => `${one.station} ${one.temperature}`);
    }
    return byWorker;
  }
  const both = { 0: ["oslo -3.5"], 1: ["oslo -3.5"] };
  expect(await send(Number(stationPort), "oslo -3.5\n")).toBe("thank you");
  expect(await send(Number(stationPort), "hello there\n")).toBe("what is that?");
  await expect.poll(known, patiently).toEqual(both);

  await writeFile(conf, (await readFile(conf, "utf8")).replace("Readings are at", "Look at"));
  expect(await steer("plan")).toMatch(/made anew +webapp\.weather\/rule\.start/);
  expect(await steer("reload")).toContain("2 components change");
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("Look at /readings.");
  expect(await known()).toEqual(both);

  const app = join(folder.path, "apps", "readings-app.ts");
  await writeFile(
    app,
    (await readFile(app, "utf8")).replace('.get("/readings",', '.get("/readings/none", () => "new").get("/readings",'),
  );
  expect(await steer("rework")).toBe("replaced 2 workers\n");
  // On a new connection: one that a client has open gets an answer of the worker that it has reached.
  const [answer] = (await once(get(`http://127.0.0.1:${port}/readings/none`, { agent: false }), "response")) as [
    IncomingMessage,
  ];
  expect(await text(answer)).toBe("new");
  await expect.poll(known, patiently).toEqual(both);

  expect(await steer("stop")).toBe("ends at once\n");
  await ended;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});
