// HAProxy, started for a test as a server of plain HTTP.

import { startPeerSite, type PeerSite } from "./peer-site.ts";

/**
 * `program` is the path of HAProxy, `sections` its frontends and backends, of which one frontend has `bind :80`: the
 * port that is asked.
 */
export async function startHAProxy(program: string, sections: string): Promise<PeerSite> {
  return await startPeerSite(program, (_folder, file, port) => ({
    text: `defaults
      mode http
      timeout connect 5s
      timeout client 30s
      timeout server 30s
${sections.replace("bind :80", `bind 127.0.0.1:${port}`)}
`,
    args: ["-f", file, "-db"],
  }));
}
