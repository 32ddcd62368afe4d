// The $variables of cases and dealets.

import type { more, PartialVariableTable } from "../component/partial-condition.ts";
import { variableTable, type VariableTable } from "../component/variables.ts";
import { known, type ConnFacts } from "./facts.ts";

/** For conditions, which may have to wait for bytes of the client. */
export const partialVariables: PartialVariableTable<ConnFacts> = variableTable<ConnFacts, string | typeof more>({
  /** The client's address, in cases as in rules; "" over a UNIX socket. */
  srcHost: ({ srcHost }) => srcHost,
  /** The client's port, in cases as in rules; 0 over a UNIX socket. */
  srcPort: ({ srcPort }) => String(srcPort),
  /** The address that the client connected to; "" over a UNIX socket. */
  dstHost: ({ dstHost }) => dstHost,
  /** The port that the client connected to; 0 over a UNIX socket. */
  dstPort: ({ dstPort }) => String(dstPort),
  /** How it came: `tcp`, `tls` (the router terminates TLS), `uds` (a UNIX socket), `udp`, `dtls` or `quic`. */
  transport: ({ transport }) => transport,
  /**
   * The server name (SNI) that the client asks for, in lower case; "" without one. It is read from the ClientHello
   * where the router does not terminate TLS.
   */
  serverName: ({ serverName }) => serverName,
  /**
   * The protocol inside TLS (ALPN), such as `h2`: the one that was agreed on, or the first one of the ClientHello where
   * the router does not terminate TLS. "" without one.
   */
  nextProto: ({ nextProto }) => nextProto,
  /**
   * The protocol that the client's first bytes belong to: `http`, `http2`, `tls`, `ssh`, `redis`, `postgres`, `mysql`
   * (its X protocol), `mqtt`, `rdp`, `socks` or `dns`; in datagrams `dns` or `quic`. `silent`: it sent nothing within
   * `sniffTimeout`, as clients do whose server speaks first (MySQL, SMTP). "": something else.
   */
  protocol: ({ protocol }) => protocol,
});

/** For templates, which are evaluated when the case is known. */
export const connVariables: VariableTable<ConnFacts> = {
  names: [...partialVariables.names, "hostname"],
  find(name) {
    const read = findPartial(name);
    return read && ((facts) => known(read(facts)));
  },
};

/** `$hostname` is another name of `$serverName`. */
export const conditionVariables: PartialVariableTable<ConnFacts> = { names: connVariables.names, find: findPartial };

function findPartial(name: string): ReturnType<typeof partialVariables.find> {
  return partialVariables.find(name === "hostname" ? "serverName" : name);
}
