// The $variables of conditions and templates on the web side.

import { formatISOTime } from "@hemi/common";
import { variableTable } from "../../component/variables.ts";
import { foreignVariable } from "../foreign-names.ts";
import type { Request } from "../request/request.ts";
import { localTime } from "./local-time.ts";
import { doubtOfPattern } from "./pattern-doubts.ts";

/** The variables of requests, for conditions and templates. */
export const webVariables = variableTable<Request>(
  {
    /** `GET`, `POST`, …; case counts. */
    method: (req) => req.method,
    /** `http` or `https`: how the client came to the server, or to a proxy in its `trustForwarded`. */
    scheme: (req) => req.scheme,
    /** Hostname and port, as the client names them: `shop.example:8080`. */
    authority: (req) => req.authority,
    /** In lower case, without a dot at its end. */
    hostname: (req) => req.hostname,
    /** `:8080`; empty if the client names no port. */
    colonPort: (req) => req.colonPort,
    /** Decoded, `%2F` too, without dot segments; several slashes in a row are one. What is not UTF-8 is U+FFFD. */
    path: (req) => req.path,
    /** The same path as the client has encoded it. */
    encodedPath: (req) => req.encodedPath,
    /** `$encodedPath` and `$queryString`. */
    uri: (req) => req.uri,
    /** `$uri` as the client asked for it, whatever a handlet has rewritten it to. */
    originalURI: (req) => req.originalURI,
    /**
     * `0` for what a client asked for; more for what the engine asks itself: included pages, files that a backend sends
     * by `x-accel-redirect`.
     */
    depth: (req) => String(req.depth),
    /** As it was sent, with the `?` before it; empty if there is none. */
    queryString: (req) => req.queryString,
    /** The field `content-type`. */
    contentType: (req) => req.header("content-type") ?? "",
    /** The client's address. */
    srcHost: (req) => req.srcHost,
    /**
     * The port that took the connection, not the one that the client names: see `$colonPort`. Empty over a UNIX socket.
     */
    serverPort: (req) => String(req.peer.local?.port ?? ""),
    /** What the error log and the access log call this request; no other has it. */
    requestId: (req) => req.id,
    /** Day of the week and time, in the time zone of the server (`TZ`): `Mon 09:05`. */
    localTime: () => localTime(),
    /** The client's port. */
    srcPort: (req) => String(req.srcPort),
    /** `TLSv1.3` or `TLSv1.2`; empty, as all that begin with `tls`, where the request did not come by TLS. */
    tlsVersion: (req) => req.tls?.version ?? "",
    /** The cipher of the client's connection, such as `TLS_AES_128_GCM_SHA256`. */
    tlsCipher: (req) => req.tls?.cipher ?? "",
    /** The name that the client asked for in the TLS handshake (SNI), in lower case; empty if it gave none. */
    tlsServerName: (req) => req.tls?.serverName ?? "",
    /** The protocol that the TLS handshake agreed on (ALPN), such as `http/1.1`; empty if the client proposed none. */
    tlsNextProto: (req) => req.tls?.nextProto ?? "",
    /** `true` if the session of an earlier connection goes on, else `false`. */
    tlsResumed: (req) => String(req.tls?.isResumed ?? ""),
    /**
     * `true` if the client has shown a certificate that leads to `tlsClientCA` and is valid, `false` if it has shown
     * another one; empty if it has shown none.
     */
    tlsClientVerified: (req) => String(req.tls?.client?.isVerified ?? ""),
    /** Why the client's certificate is not verified, such as `CERT_HAS_EXPIRED`; empty if it is. */
    tlsClientFailure: (req) => req.tls?.client?.failure ?? "",
    /**
     * Whose the client's certificate is, as RFC 4514 writes it: `CN=Ann,O=Shop`. This and what follows says something
     * only where `tlsClientVerified` is `true`.
     */
    tlsClientSubject: (req) => req.tls?.client?.subject ?? "",
    /** Who has issued the client's certificate, written likewise. */
    tlsClientIssuer: (req) => req.tls?.client?.issuer ?? "",
    /** The serial number of the client's certificate, in hexadecimal digits. */
    tlsClientSerial: (req) => req.tls?.client?.serial ?? "",
    /** SHA-256 of the client's certificate: 64 hexadecimal digits in lower case. */
    tlsClientFingerprint: (req) => req.tls?.client?.fingerprint ?? "",
    /** The other names in the client's certificate: `DNS:a.example, email:ann@a.example`. */
    tlsClientAltNames: (req) => req.tls?.client?.altNames ?? "",
    /**
     * Until when the client's certificate is valid: `2030-01-31T12:00:00.000Z`; empty if it says no date that there is.
     */
    tlsClientValidTo: (req) => formatISOTime(req.tls?.client?.validTo.getTime() ?? NaN),
    /** The client's certificate in PEM, percent-encoded: for a header field. */
    tlsClientEscapedPEM: (req) => req.tls?.client?.escapedPEM ?? "",
  },
  {
    /** The field `x-y` for `$header_x_y`; case does not count. */
    header_: (rest) => {
      const name = rest.replaceAll("_", "-").toLowerCase();
      return (req) => req.header(name) ?? "";
    },
    /** The first value of this name in the query string, decoded. */
    query_: (rest) => (req) => req.query(rest) ?? "",
    /** The cookie of this name. */
    cookie_: (rest) => (req) => req.cookie(rest) ?? "",
    /**
     * The group `x` of the regular expression that matched last among those of conditions that have one: `(?<x>…)`;
     * empty if none has.
     */
    match_: (rest) => (req) => req.matched(rest)?.text ?? "",
  },
  {
    foreign: foreignVariable,
    doubt: doubtOfPattern,
    presence: presenceOf,
    noteMatch: (req, variable, groups) => req.noteMatch(groups, encodedVariables.has(variable)),
  },
);

/** Those whose values are percent-encoded, and so are the parts of them. */
const encodedVariables: ReadonlySet<string> = new Set(["encodedPath", "uri", "originalURI", "queryString"]);

/** Fields, parameters and cookies may be there and empty. */
function presenceOf(variable: string): ((req: Request) => boolean) | undefined {
  const [, family, rest = ""] = /^(header|query|cookie)_(.+)$/s.exec(variable) ?? [];
  switch (family) {
    case "header": {
      const name = rest.replaceAll("_", "-").toLowerCase();
      return (req) => req.header(name) !== undefined;
    }
    case "query":
      return (req) => req.query(rest) !== undefined;
    case "cookie":
      return (req) => req.cookie(rest) !== undefined;
    default:
      return undefined;
  }
}
