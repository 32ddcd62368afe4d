// A server of MariaDB with a fresh data folder, for as long as a test needs it.

import { execFile } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "vitest";
import { freePort, startPeer } from "./peer-process.ts";
import { peer } from "./peers.ts";

const run = promisify(execFile);

/** PEM. Default: no TLS. */
export interface MariadbOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Its user `ann` with the password `geheim` may do everything. `stop` and `start` are for tests of restarts. */
export async function startMariadb(context: TestContext, { tls }: MariadbOptions = {}) {
  const mariadbd = peer("mariadbd", context);
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-mariadb-"));
  const [data, init] = [join(folder.path, "data"), join(folder.path, "init.sql")];
  const port = await freePort();
  await writeFile(init, "create or replace user ann@'%' identified by 'geheim';\ngrant all on *.* to ann@'%';\n");
  const files = { cert: join(folder.path, "cert.pem"), key: join(folder.path, "key.pem") };
  if (tls !== undefined) {
    await writeFile(files.cert, tls.cert);
    await writeFile(files.key, tls.key);
  }
  // The server refuses to run as root.
  const user = userInfo().uid === 0 ? ["--user=mysql"] : [];
  if (user.length > 0) await run("chown", ["-R", "mysql:mysql", folder.path]);
  await run("mariadb-install-db", ["--no-defaults", `--datadir=${data}`, "--skip-test-db", ...user]);
  const args = [
    ...["--no-defaults", ...user, `--datadir=${data}`, `--port=${port}`, "--bind-address=127.0.0.1"],
    ...[`--socket=${join(folder.path, "socket")}`, `--pid-file=${join(folder.path, "pid")}`, `--init-file=${init}`],
    ...["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--max-allowed-packet=64M"],
    ...["--skip-name-resolve", "--local-infile=1"],
    ...(tls === undefined ? [] : [`--ssl-cert=${files.cert}`, `--ssl-key=${files.key}`]),
  ];
  const start = () => startPeer(mariadbd, args, port);
  let server: AsyncDisposable | undefined = await start();
  const stop = async (): Promise<void> => {
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
