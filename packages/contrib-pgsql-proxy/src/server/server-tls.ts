// TLS to a server that is asked for it within its protocol ("SSL Session Encryption").

import { connect, type TLSSocket } from "node:tls";
import { isIP } from "node:net";
import type { Link } from "@hemi/internal";

/** How connections to servers are secured. */
export interface ServerTls {
  readonly mode: "off" | "require" | "verify";
  /** The name in the certificate; "": the host of the node. */
  readonly serverName: string;
  /** Certificates of authorities; `undefined`: those of Node.js. */
  readonly ca: Buffer | undefined;
}

/** Begins the handshake on the connection of a link, which is not used any more. */
export function secured(link: Link, { mode, serverName, ca }: ServerTls, node: string): TLSSocket {
  const host = serverName === "" ? node.replace(/:\d+$/, "") : serverName;
  return connect({
    socket: link.release(Buffer.alloc(0)),
    rejectUnauthorized: mode === "verify",
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(ca && { ca }),
  });
}
