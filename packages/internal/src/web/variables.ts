// The $variables of conditions and templates on the web side.

import { variableTable } from "../component/variables.ts";
import type { Request } from "./request.ts";

export const webVariables = variableTable<Request>(
  {
    method: (req) => req.method,
    scheme: (req) => req.scheme,
    authority: (req) => req.authority,
    hostname: (req) => req.hostname,
    colonPort: (req) => req.colonPort,
    path: (req) => req.path,
    encodedPath: (req) => req.encodedPath,
    uri: (req) => req.uri,
    queryString: (req) => req.queryString,
    contentType: (req) => req.header("content-type") ?? "",
    srcHost: (req) => req.srcHost,
    srcPort: (req) => String(req.srcPort),
  },
  {
    header_: (rest) => {
      const name = rest.replaceAll("_", "-").toLowerCase();
      return (req) => req.header(name) ?? "";
    },
    query_: (rest) => (req) => req.query(rest) ?? "",
    cookie_: (rest) => (req) => req.cookie(rest) ?? "",
  },
);
