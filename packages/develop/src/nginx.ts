// nginx, started for a test as a server of one site.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePort, startPeer } from "./peer-process.ts";

export interface Nginx extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
}

/** `program` is the path of nginx, `server` what stands in its `server { … }`, `http` what stands before that. */
export async function startNginx(program: string, server: string, http = ""): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "hemi-nginx-"));
  const port = await freePort();
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    join(folder, "nginx.conf"),
    `${userInfo().uid === 0 ? "user root;" : ""}
    daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log off; include /etc/nginx/mime.types;
      ${temps.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      ${http}
      server { listen 127.0.0.1:${port}; ${server} }
    }`,
  );
  const nginx = await startPeer(program, ["-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")], port);
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
