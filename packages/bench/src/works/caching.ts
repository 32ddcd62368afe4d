// Answers a second out of a cache.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compare } from "../comparison.ts";
import { startBackend } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import { fileOf, filesFolder } from "../servers/files.ts";
import type { Work } from "../work.ts";
import { startProxy } from "./proxying.ts";

export const caching: readonly Work[] = [
  {
    name: "10 KiB from memCacher",
    needs: ["wrk", "nginx"],
    async run(settings) {
      const path = fileOf(10 * 1024);
      chmodSync(dirname(join(filesFolder(), path)), 0o755);
      await using backend = await startBackend(servers.nginxIn(filesFolder()));
      await using ours = await startProxy(servers.hemi("cached.conf"), backend);
      await using theirs = await startProxy(servers.nginxCache(backend.port, cacheFolder()), backend);
      const same = { path, theirPath: path, isVaried: false };
      const { ours: our, theirs: their, ratio, spread } = await compare(ours, theirs, { ...settings, ...same });
      return [
        {
          against: "nginx, proxy_cache on tmpfs",
          ours: `${Math.round(our)}/s`,
          theirs: `${Math.round(their)}/s`,
          figure: `${ratio.toFixed(2)} (${spread.map((bound) => bound.toFixed(2)).join("–")})`,
          atLeast: "1.1",
          aim: "1.4",
        },
      ];
    },
  },
];

/** In memory, on systems that have such a file system. */
function cacheFolder(): string {
  const parent = process.platform === "linux" ? "/dev/shm" : tmpdir();
  const folder = join(mkdtempSync(join(parent, "hemi-bench-cache-")), "cache");
  mkdirSync(folder);
  // nginx gives up being root.
  chmodSync(dirname(folder), 0o777);
  chmodSync(folder, 0o777);
  process.once("exit", () => rmSync(dirname(folder), { recursive: true, force: true }));
  return folder;
}
