// PHP-FPM, started for a test: a pool of a few processes on a socket in a folder of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export interface PHP extends AsyncDisposable {
  /** The path of its socket. */
  readonly socket: string;
}

/**
 * `program` is the path of PHP-FPM; `processes` is how many requests it can have at once. Throws with what it says if
 * it does not start.
 */
export async function startPHP(program: string, processes = 3): Promise<PHP> {
  const folder = await mkdtemp(join(tmpdir(), "hemi-php-"));
  // Servers that a test starts as root may serve as another user.
  await chmod(folder, 0o755);
  const socket = join(folder, "php.sock");
  await writeFile(join(folder, "php.conf"), configuration(folder, socket, processes));
  const asRoot = userInfo().uid === 0 ? ["--allow-to-run-as-root"] : [];
  const fpm = spawn(program, ["--nodaemonize", "--fpm-config", join(folder, "php.conf"), ...asRoot], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  fpm.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(fpm, "exit");
  while (!(await isThere(socket))) {
    if (fpm.exitCode !== null) throw new Error(`PHP-FPM did not start: ${said}`);
    await setTimeout(10);
  }
  return {
    socket,
    async [Symbol.asyncDispose]() {
      fpm.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

const configuration = (folder: string, socket: string, processes: number): string => `
[global]
error_log = ${folder}/fpm.log
[site]
${userInfo().uid === 0 ? "user = root\ngroup = root" : ""}
listen = ${socket}
listen.mode = 0666
pm = static
pm.max_children = ${processes}
php_admin_value[upload_max_filesize] = 200M
php_admin_value[post_max_size] = 200M
php_admin_value[session.save_path] = ${folder}
php_admin_value[upload_tmp_dir] = ${folder}
`;

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
