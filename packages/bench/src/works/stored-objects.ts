// Caches with very many objects: what each costs in memory, and how soon a program with all of them on disk answers.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ask, fill, pathOf } from "../fill.ts";
import { startServer, type Command, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

/** HEMI_BENCH_OBJECTS sets another number, for a try. */
const count = Number(process.env["HEMI_BENCH_OBJECTS"] ?? 1_000_000);
const pageSize = 1000;
/** So many are stored before: by then the heap has room for the work itself, which is no cost of a wobject. */
const warmingUp = 50_000;

export const storedObjects: readonly Work[] = [
  {
    name: `memory for each of ${count} wobjects in memCacher, beside their content`,
    needs: [],
    async run() {
      await using server = await startServer(servers.hemi("stored-pages.conf", "page-pack.ts"));
      await fill(server.port, 0, warmingUp);
      const before = await memoryOf(server);
      await fill(server.port, warmingUp, count + warmingUp);
      const each = (await memoryOf(server)) - before;
      const figure = `${Math.round(each / count) - pageSize} B`;
      return [{ against: "Varnish's 1 KB", ours: figure, theirs: "", figure, atLeast: "700 B", aim: "400 B" }];
    },
  },
  {
    name: `restart with ${count} objects on disk, until the first hit`,
    needs: [],
    async run() {
      const folder = await mkdtemp(join(tmpdir(), "hemi-bench-disk-"));
      try {
        const command = () => [...servers.hemi("pages-on-disk.conf", "page-pack.ts")(), "--base", folder];
        await fillByTwo(command);
        const began = performance.now();
        await using server = await startServer(command);
        const status = await ask(server.port, pathOf(Math.floor(count / 2)));
        const time = Math.round(performance.now() - began);
        if (!status.includes("hit")) throw new Error(`what was stored is not found again: ${status}`);
        const ours = `${time} ms, ${Math.round(peakMemory(server) / 1024 / 1024)} MiB`;
        return [{ against: "", ours, theirs: "", figure: ours, atLeast: "2 s", aim: "0.5 s" }];
      } finally {
        // Much faster for millions than that of Node.js.
        await promisify(execFile)("rm", ["-rf", folder]);
      }
    },
  },
];

/** Two programs share the folder, one for each core. */
async function fillByTwo(command: Command): Promise<void> {
  await using one = await startServer(command, { isPinned: false });
  await using other = await startServer(command, { isPinned: false });
  const half = Math.floor(count / 2);
  await Promise.all([fill(one.port, 0, half), fill(other.port, half, count)]);
}

async function memoryOf({ port }: ServerProcess): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}/memory`)).text());
}

/** The most that it has had, in bytes. */
function peakMemory({ pid }: ServerProcess): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes ?? 0) * 1024;
}
