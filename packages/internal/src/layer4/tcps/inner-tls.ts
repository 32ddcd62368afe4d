// TLS that is asked for within a protocol, after the connection stands (SSLRequest of PostgreSQL and MySQL): the props
// of a proxy, and its end towards servers. The end towards clients is in secure-pipe.ts.

import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { connect, createSecureContext, type SecureContext } from "node:tls";
import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { readAuthoritiesSync, readPairSync } from "../../front/tls/pem.ts";
import type { Link, LinkUser } from "../../net/link.ts";

/** Spread this into the props of a dealet. */
export const innerTlsProps = {
  /** The certificate for clients that ask for TLS, as PEM. Default: only the router may terminate TLS. */
  tlsCert: prop.path(),
  /** Its key. */
  tlsKey: prop.path(),
  /** Whether clients without TLS are refused. */
  requireTls: prop.bool({ default: false, reload: "live" }),
  /** TLS to servers: `require` takes any certificate; `verify` one of `serverCa` for the host or `serverName`. */
  serverTls: prop.choice(["off", "require", "verify"], { default: "off" }),
  /** Certificates of authorities, as PEM. Default: those of Node.js. */
  serverCa: prop.path(),
  /** The name in the certificates of the servers. Default: the address of the node. */
  serverName: prop.string({ default: "" }),
};

/** The values of `innerTlsProps`. */
export type InnerTlsSettings = PropsOf<typeof innerTlsProps>;

/** How connections to servers are secured. */
export interface ServerTls {
  /** `require` takes any certificate. */
  readonly mode: "off" | "require" | "verify";
  /** The name in the certificate; "": the host of the node. */
  readonly serverName: string;
  /** Certificates of authorities; `undefined`: those of Node.js. */
  readonly ca: string | undefined;
}

/** What follows from the files that the props name. */
export interface InnerTls {
  /** For clients; `undefined`: they cannot have TLS. */
  readonly secureContext: SecureContext | undefined;
  /** For connections to servers. */
  readonly server: ServerTls;
}

/** Reports a certificate without a key. */
export function checkInnerTls(context: CheckContext<InnerTlsSettings>): void {
  const { tlsCert, tlsKey } = context.props;
  if ((tlsCert === undefined) === (tlsKey === undefined)) return;
  context.report({ prop: "tlsCert", message: ".tlsCert and .tlsKey belong together" });
}

/** Reads the files. Throws a PropError for one that cannot be used. */
export function innerTlsOf({ tlsCert, tlsKey, serverTls, serverCa, serverName }: InnerTlsSettings): InnerTls {
  const ca = serverCa === undefined ? undefined : readAuthoritiesSync("serverCa", serverCa);
  const server = { mode: serverTls, serverName, ca };
  if (tlsCert === undefined || tlsKey === undefined) return { secureContext: undefined, server };
  return { secureContext: createSecureContext(readPairSync(tlsCert, tlsKey)), server };
}

/**
 * Begins the handshake on the connection of a link, which is not used any more, and returns the link that takes its
 * place. `node`: its address. `connected`: the handshake has been made.
 */
export function secured(
  link: Link,
  { mode, serverName, ca }: ServerTls,
  node: string,
  user: LinkUser,
  connected: () => void,
): Link {
  const host = serverName === "" ? node.replace(/:\d+$/, "") : serverName;
  const socket = connect({
    socket: link.release(Buffer.alloc(0)),
    rejectUnauthorized: mode === "verify",
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(ca && { ca }),
  });
  return link.succeededBy(socket, user, connected);
}
