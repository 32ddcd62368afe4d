// A server of PostgreSQL with a fresh data folder, for as long as a test needs it.

import { execFile } from "node:child_process";
import { chmod, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import type { TestContext } from "vitest";
import { freePort, startPeer } from "./peer-process.ts";
import { peer } from "./peers.ts";

const run = promisify(execFile);

/** How the server is set up. */
export interface PostgresOptions {
  /** Of the user `ann`, who may do everything. Default: none is asked for. */
  readonly password?: string;
  /** PEM. Default: no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Its user is `ann`. `stop` and `start` are for tests of restarts. */
export async function startPostgres(context: TestContext, { password, tls }: PostgresOptions = {}) {
  const postgres = peer("postgres", context);
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-postgres-"));
  const data = join(folder.path, "data");
  const bin = postgres.slice(0, -"/postgres".length);
  const port = await freePort();
  const secret = join(folder.path, "password");
  if (password !== undefined) await writeFile(secret, `${password}\n`);
  // The server refuses to run as root.
  const before = userInfo().uid === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
  if (before.length > 0) await run("chown", ["-R", "postgres:postgres", folder.path]);
  const command = (name: string, args: readonly string[]): [string, string[]] => {
    const [program = "", ...rest] = [...before, join(bin, name), ...args];
    return [program, rest];
  };
  const access = password === undefined ? ["-A", "trust"] : ["-A", "scram-sha-256", `--pwfile=${secret}`];
  await run(...command("initdb", ["-D", data, "-U", "ann", ...access, "--no-sync"]), { cwd: folder.path });
  const args = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder.path, "-F"];
  if (tls !== undefined) {
    const [cert, key] = [join(data, "cert.pem"), join(data, "key.pem")];
    await writeFile(cert, tls.cert);
    await writeFile(key, tls.key);
    await chmod(key, 0o600);
    if (before.length > 0) await run("chown", ["postgres:postgres", cert, key]);
    args.push("-c", "ssl=on", "-c", `ssl_cert_file=${cert}`, "-c", `ssl_key_file=${key}`);
  }
  const start = async (): Promise<AsyncDisposable> => {
    const process = await startPeer(...command("postgres", args), port);
    // It accepts connections before that, and refuses them.
    while (!(await isReady())) await pause(20);
    return process;
  };
  const isReady = async (): Promise<boolean> =>
    /^ready\s*$/m.test(await readFile(join(data, "postmaster.pid"), "utf8").catch(() => ""));
  let server: AsyncDisposable | undefined = await start();
  const stop = async (): Promise<void> => {
    // By SIGTERM it would wait until all sessions have ended.
    const [pid = ""] = (await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
    if (server !== undefined && pid !== "") process.kill(Number(pid), "SIGINT");
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  };
  return {
    port,
    stop,
    async start(): Promise<void> {
      server ??= await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await folder.remove();
    },
  };
}
