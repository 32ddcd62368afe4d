// The $variables of conditions and templates on the web side.

import { variableTable } from "../component/variables.ts";
import type { Request } from "./request.ts";

export const webVariables = variableTable<Request>(
  {
    /** `GET`, `POST`, …; case counts. */
    method: (req) => req.method,
    /** `http` or `https`. */
    scheme: (req) => req.scheme,
    /** Hostname and port, as the client names them: `shop.example:8080`. */
    authority: (req) => req.authority,
    /** In lower case, without a dot at its end. */
    hostname: (req) => req.hostname,
    /** `:8080`; empty if the client names no port. */
    colonPort: (req) => req.colonPort,
    /** Decoded, but for `%2F` and `%5C`, and without dot segments. */
    path: (req) => req.path,
    /** The same path as the client has encoded it. */
    encodedPath: (req) => req.encodedPath,
    /** `$encodedPath` and `$queryString`. */
    uri: (req) => req.uri,
    /** As it was sent, with the `?` before it; empty if there is none. */
    queryString: (req) => req.queryString,
    /** The field `content-type`. */
    contentType: (req) => req.header("content-type") ?? "",
    /** The client's address. */
    srcHost: (req) => req.srcHost,
    /** The client's port. */
    srcPort: (req) => String(req.srcPort),
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
  },
);
