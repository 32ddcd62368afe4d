// Apache, started for a test as a server of one site whose folders may have .htaccess files.

import { userInfo } from "node:os";
import { startPeerSite, type PeerSite } from "./peer-site.ts";

/** `program` is the path of Apache, `server` what stands behind the settings that any server needs. */
export async function startApache(program: string, server: string): Promise<PeerSite> {
  return await startPeerSite(program, (folder, file, port) => ({
    text: `ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
Mutex file:${folder}
ErrorLog ${folder}/error.log
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
${userInfo().uid === 0 ? "User www-data\nGroup www-data" : ""}
TypesConfig /dev/null
AddType text/html .html
AddType text/css .css
AddType text/javascript .js
AddType image/png .png
StartServers 1
${server}
`,
    args: ["-DFOREGROUND", "-f", file],
  }));
}

const modules: readonly string[] = [
  "mpm_event",
  "alias",
  "auth_basic",
  "authn_core",
  "authn_file",
  "authz_core",
  "authz_host",
  "authz_user",
  "deflate",
  "dir",
  "expires",
  "filter",
  "headers",
  "mime",
  "proxy",
  "proxy_fcgi",
  "proxy_http",
  "rewrite",
  "setenvif",
];
