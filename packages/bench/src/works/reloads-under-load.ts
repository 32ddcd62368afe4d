// Requests that fail while a program under load follows a new configuration, or gets new processes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startProgram } from "../hemi-program.ts";
import { findProgram } from "../machine.ts";
import { startServer, type Command, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import { steadyLoad } from "../steady-load.ts";
import type { Result, Work } from "../work.ts";

const kept = 64;
const anew = 8;
const reloads = 8;
/** For 12 seconds by default. */
const timeFor = (seconds: number): number => 2400 * seconds;

/** Something that serves, and what changes it. */
interface Changed extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly change: (times: number) => Promise<unknown>;
}

async function hemi(action: "reload" | "rework"): Promise<Changed> {
  const config = readFileSync(servers.confFile("return-text.conf"), "utf8");
  // A rule that no request meets.
  const edited = (times: number): string =>
    config.replace("rule {", `rule $path == "/${times}" { .returnText = "${times}" }\n        rule {`);
  const server = await startProgram({ config, workers: 2, isPinned: false });
  return {
    server,
    async change(times) {
      if (action === "reload") await server.write(edited(times));
      await server.call(action);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A server that a signal tells to read its configuration again. */
async function signalled(command: Command, signal: NodeJS.Signals): Promise<Changed> {
  const server = await startServer(command, { isPinned: false });
  return {
    server,
    change: async () => process.kill(server.pid, signal),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** node:http under pm2, in a folder of its own. */
async function pm2(): Promise<Changed> {
  const env = { PM2_HOME: mkdtempSync(join(tmpdir(), "hemi-bench-pm2-")) };
  const start = ["start", servers.nodeHttpFile, "--name", "peer", "-i", "2", "--no-daemon"];
  const server = await startServer(() => ["pm2", ...start], { isPinned: false, env });
  return {
    server,
    async change() {
      await once(spawn("pm2", ["reload", "peer"], { stdio: "ignore", env: { ...process.env, ...env } }), "exit");
    },
    async [Symbol.asyncDispose]() {
      await once(spawn("pm2", ["kill"], { stdio: "ignore", env: { ...process.env, ...env } }), "exit");
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Changes it so many times in the time. Returns how many requests failed, of how many. */
async function failuresOf({ server, change }: Changed, times: number, time: number): Promise<string> {
  const load = steadyLoad(server.port, { kept, anew });
  for (let i = 1; i <= times; i++) {
    await sleep(time / (times + 1));
    await change(i);
  }
  await sleep(time / (times + 1));
  const { answered, failed } = await load.stop();
  const reasons = [...new Set(failed)].slice(0, 3).join(", ");
  return `${failed.length} of ${answered + failed.length}${reasons === "" ? "" : ` (${reasons})`}`;
}

const peers = [
  { name: "nginx", needs: "nginx", start: () => signalled(servers.nginxWithWorkers(2), "SIGHUP") },
  { name: "HAProxy", needs: "haproxy", start: () => signalled(servers.haproxyMaster, "SIGUSR2") },
  { name: "node:http under pm2", needs: "pm2", start: pm2 },
] as const;

const failedInReloads: Work = {
  name: `failed requests of ${kept} kept and ${anew} new connections in ${reloads} reloads`,
  needs: [],
  async run({ seconds }) {
    const ours = await failuresIn(() => hemi("reload"), reloads, timeFor(seconds));
    const results: Result[] = [];
    for (const { name, needs, start } of peers) {
      const isThere = findProgram(needs) !== undefined;
      const theirs = isThere ? await failuresIn(start, reloads, timeFor(seconds)) : `not measured: ${needs} missing`;
      results.push({ against: name, ours, theirs, figure: ours, atLeast: "0", aim: "0" });
    }
    return results;
  },
};

const failedInReworks: Work = {
  name: `failed requests of ${kept} kept and ${anew} new connections, with a rework every 5 s`,
  needs: [],
  async run({ seconds }) {
    const time = timeFor(seconds);
    const ours = await failuresIn(() => hemi("rework"), Math.max(1, Math.floor(time / 5000)), time);
    return [{ against: "", ours, theirs: "", figure: ours, atLeast: "0", aim: "0" }];
  },
};

async function failuresIn(start: () => Promise<Changed>, times: number, time: number): Promise<string> {
  await using changed = await start();
  return await failuresOf(changed, times, time);
}

export const reloadsUnderLoad: readonly Work[] = [failedInReloads, failedInReworks];
