// Answers a second out of a cache.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compare, ratioResult } from "../comparison.ts";
import { findProgram } from "../machine.ts";
import { startBackend, type Command } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import { fileOf, filesFolder } from "../servers/files.ts";
import type { Result, Work } from "../work.ts";
import { measured } from "./http2.ts";
import { startProxy } from "./proxying.ts";

interface CachingPeer {
  readonly name: string;
  /** Where it is not installed, it is not measured. */
  readonly program: string;
  readonly command: (backendPort: number) => Command;
  readonly atLeast: string;
  readonly aim: string;
}

export const caching: readonly Work[] = [
  cachingWork("10 KiB from memCacher", servers.hemi("cached.conf"), [
    {
      name: "nginx, proxy_cache on tmpfs",
      program: "nginx",
      command: (port) => servers.nginxCache(port, cacheFolder()),
      atLeast: "1.1",
      aim: "1.4",
    },
    { name: "Varnish", program: "varnishd", command: servers.varnish, atLeast: "1.5", aim: "2.0" },
  ]),
  cachingWork("10 KiB from diskCacher", servers.hemiWithLogs("disk-cached.conf"), [
    {
      name: "nginx, proxy_cache, all in the page cache",
      program: "nginx",
      command: (port) => servers.nginxCache(port, cacheFolder(tmpdir())),
      atLeast: "0.8",
      aim: "1.0",
    },
  ]),
  // The windows of h2load itself, as large as those of browsers, and the small ones that the RFC begins with.
  cachingHttp2Work("HTTP/2, 10 KiB from memCacher", 30),
  cachingHttp2Work("HTTP/2, 10 KiB from memCacher, windows of 64 KiB", 16),
];

function cachingHttp2Work(name: string, windowBits: number): Work {
  return {
    name,
    needs: ["h2load", "openssl", "nginx"],
    async run(settings) {
      const path = tenKiB();
      await using backend = await startBackend(servers.nginxIn(filesFolder()));
      await using our = await startProxy(servers.hemiWithCertificate("cached-http2.conf"), backend);
      await using their = await startProxy(servers.nginxHttp2Cache(backend.port, cacheFolder()), backend);
      const load = { connections: 16, streams: 32, requests: 60_000, path, windowBits };
      const against = "nginx, proxy_cache on tmpfs";
      return [await measured(our, their, { load, ...settings, against, atLeast: "2.0", aim: "3.0" })];
    },
  };
}

function cachingWork(name: string, command: Command, peers: readonly CachingPeer[]): Work {
  return {
    name,
    needs: ["wrk", "nginx"],
    async run(settings) {
      const path = tenKiB();
      await using backend = await startBackend(servers.nginxIn(filesFolder()));
      await using ours = await startProxy(command, backend);
      const results: Result[] = [];
      for (const { name: against, program, command: theirCommand, atLeast, aim } of peers) {
        if (findProgram(program) === undefined) {
          results.push({ against, ours: "", theirs: "", figure: `not measured: ${program} missing`, atLeast, aim });
          continue;
        }
        await using theirs = await startProxy(theirCommand(backend.port), backend);
        const same = { path, theirPath: path, isVaried: false };
        results.push(ratioResult(await compare(ours, theirs, { ...settings, ...same }), { against, atLeast, aim }));
      }
      return results;
    },
  };
}

/** Where the backend has it. */
function tenKiB(): string {
  const path = fileOf(10 * 1024);
  chmodSync(dirname(join(filesFolder(), path)), 0o755);
  return path;
}

/** Default: in memory, on systems that have such a file system. */
function cacheFolder(parent = process.platform === "linux" ? "/dev/shm" : tmpdir()): string {
  const folder = join(mkdtempSync(join(parent, "hemi-bench-cache-")), "cache");
  mkdirSync(folder);
  // nginx gives up being root.
  chmodSync(dirname(folder), 0o777);
  chmodSync(folder, 0o777);
  process.once("exit", () => rmSync(dirname(folder), { recursive: true, force: true }));
  return folder;
}
