// Caddy, started for a test as a server of plain HTTP.

import { startPeerSite, type PeerSite } from "./peer-site.ts";

/** `program` is the path of Caddy, `site` what stands in the block of its only site; it answers all hostnames. */
export async function startCaddy(program: string, site: string): Promise<PeerSite> {
  return await startPeerSite(program, (folder, file, port) => ({
    text: `{
      admin off
      auto_https off
      storage file_system ${folder}/storage
      log {
        output discard
      }
    }
    http://:${port} {
      bind 127.0.0.1
      ${site}
    }
    `,
    args: ["run", "--config", file, "--adapter", "caddyfile"],
  }));
}
