// Explains the TLS handshake of a request: assumptions about the client, and requirements on it.

import type { HandshakeWalk } from "./explanation.ts";
import type { Reference } from "../../component/reference.ts";
import { noTerms } from "../../front/tls/client-terms.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import { HostnameTable } from "../dispatch/hostnames.ts";
import type { WebappPart } from "../kinds.ts";

export interface HandshakeTerms {
  readonly webapps: readonly Reference<WebappPart>[];
  readonly tlsStrictServerName: boolean;
  /** Whether the server has its own certificate. */
  readonly hasCertificate: boolean;
}

/** `tls` has the assumed results; `undefined` if there is no connection. */
export function explainHandshake(
  server: HandshakeTerms,
  serverName: string,
): { readonly handshake: HandshakeWalk; readonly tls: TlsFacts | undefined } {
  const site = siteOf(server, serverName);
  if (site === "refused") {
    const what = serverName === "" ? "it names no server" : `no webapp has the name ${serverName}`;
    const refusedFor = `${what}, and tlsStrictServerName is set`;
    return { handshake: { serverName, version, clientCertificate: "none", refusedFor }, tls: undefined };
  }
  const { id, demand } = site?.current.tls?.terms ?? noTerms;
  return { handshake: { serverName, version, clientCertificate: demand }, tls: assumedFacts(serverName, id) };
}

/** The site of the handshake; `undefined`: none, without requirements. */
function siteOf({ webapps, tlsStrictServerName, hasCertificate }: HandshakeTerms, serverName: string) {
  const table = new HostnameTable(
    webapps.flatMap((webapp) => webapp.current.hostnames.map((hostname) => [hostname, webapp] as const)),
  );
  const found = serverName === "" ? undefined : table.find(serverName);
  if (found !== undefined) return found;
  if (tlsStrictServerName) return "refused";
  const defaultWebapp = webapps.find(({ current }) => current.hostnames.includes("*"));
  return defaultWebapp ?? (hasCertificate ? undefined : webapps[0]);
}

const version = "TLSv1.3";

function assumedFacts(serverName: string, terms: string): TlsFacts {
  return {
    terms,
    maxWrite: Infinity,
    version,
    cipher: "TLS_AES_128_GCM_SHA256",
    serverName,
    nextProto: "http/1.1",
    isResumed: false,
    client: undefined,
    reset() {
      // There is no connection.
    },
  };
}
