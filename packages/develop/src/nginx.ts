// nginx, started for a test as a server of one site.

import { userInfo } from "node:os";
import { startPeerSite, type PeerSite } from "./peer-site.ts";

/** `program` is the path of nginx, `server` what stands in its `server { … }`, `http` what stands before that. */
export async function startNginx(program: string, server: string, http = ""): Promise<PeerSite> {
  return await startPeerSite(program, (folder, file, port) => ({
    text: `${userInfo().uid === 0 ? "user root;" : ""}
      daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
      events {}
      http {
        access_log off; include /etc/nginx/mime.types;
        ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
        ${http}
        server { listen 127.0.0.1:${port}; ${server} }
      }`,
    args: ["-c", file, "-e", `${folder}/error.log`],
  }));
}

const temporary: readonly string[] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
