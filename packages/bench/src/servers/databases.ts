// The commands that start servers of databases and of DNS, and the proxies before them that Hemi is measured against.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "../server-process.ts";

/** Without anything on disk. */
export const redis: Command = (port) => ["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--save", ""];

/** With the user `bench`, whose password is `bench`. */
export const postgres: Command = (port) => {
  const folder = scratch("postgres");
  const data = join(folder, "data");
  const secret = join(folder, "password");
  writeFileSync(secret, "bench\n");
  const bin = postgresFolder();
  const [program = "", ...rest] = asPostgres(folder, [
    join(bin, "initdb"),
    "-D",
    data,
    "-U",
    "bench",
    "-A",
    "scram-sha-256",
  ]);
  execFileSync(program, [...rest, `--pwfile=${secret}`, "--no-sync"], { cwd: folder, stdio: "ignore" });
  return asPostgres(folder, [
    join(bin, "postgres"),
    "-D",
    data,
    "-p",
    String(port),
    "-h",
    "127.0.0.1",
    "-k",
    folder,
    "-F",
  ]);
};

/** Before a server that was started by `postgres`. */
export function pgbouncer(backendPort: number): Command {
  return (port) => {
    const folder = scratch("pgbouncer");
    writeFileSync(join(folder, "users"), '"bench" "bench"\n');
    const template = readFileSync(fileURLToPath(new URL("../../conf/pgbouncer.ini", import.meta.url)), "utf8");
    const file = join(folder, "pgbouncer.ini");
    const text = template.replaceAll("@PORT@", String(port)).replaceAll("@BACKEND_PORT@", String(backendPort));
    writeFileSync(file, text.replaceAll("@PREFIX@", folder));
    return asPostgres(folder, ["pgbouncer", "-q", file]);
  };
}

/** Knows `a.test`, as the name server behind Hemi; with a cache, before another one. */
export function dnsmasq(backendPort?: number): Command {
  const others = backendPort === undefined ? ["--address=/a.test/192.0.2.7"] : [`--server=127.0.0.1#${backendPort}`];
  const options = ["--no-daemon", "--no-hosts", "--no-resolv", "--bind-interfaces", "--listen-address=127.0.0.1"];
  return (port) => ["dnsmasq", ...options, "--user=root", `--port=${port}`, "--local-ttl=3600", ...others];
}

function scratch(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `hemi-bench-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** Both programs refuse to run as root. */
function asPostgres(folder: string, command: readonly string[]): readonly string[] {
  if (userInfo().uid !== 0) return command;
  execFileSync("chown", ["-R", "postgres:postgres", folder]);
  return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", ...command];
}

/** Debian keeps each version of the server in a folder of its own. */
function postgresFolder(): string {
  return execFileSync("sh", ["-c", "ls -d /usr/lib/postgresql/*/bin | tail -n 1"], { encoding: "utf8" }).trim();
}
