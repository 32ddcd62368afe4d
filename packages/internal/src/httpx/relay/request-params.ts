// What a program behind CGI, FastCGI or SCGI is told of a request (RFC 3875 section 4.1, and what PHP expects beside).

import type { ParamHandler } from "../../cgi/programs.ts";
import { joinedFields } from "../../http/fields.ts";
import type { Request } from "../../web/request/request.ts";

/** The program that a request is for. */
export interface Script {
  /** Its file, absolute. */
  readonly filename: string;
  /** Its path in the webapp, decoded: `/blog/index.php`. */
  readonly name: string;
  /** What stands behind it in the path: `/2026/11`, or "". */
  readonly pathInfo: string;
  /** The folder that paths of the webapp lie in. */
  readonly documentRoot: string;
}

/** Tells all of it. `contentSize` in bytes: the protocol behind needs to know it. `underscores`: fields with `_` in their names, too. */
export function tellRequest(
  req: Request,
  script: Script,
  { contentSize, underscores }: { readonly contentSize: number | undefined; readonly underscores: boolean },
  take: ParamHandler,
): void {
  take("GATEWAY_INTERFACE", "CGI/1.1", "utf8");
  // WordPress and others know by name which servers have rewriting; without it they offer no URLs but /index.php/….
  take("SERVER_SOFTWARE", "hemi (like nginx)", "utf8");
  take("SERVER_PROTOCOL", `HTTP/${req.version}`, "utf8");
  tellServer(req, take);
  take("REQUEST_SCHEME", req.scheme, "utf8");
  if (req.scheme === "https") take("HTTPS", "on", "utf8");
  take("REMOTE_ADDR", req.srcHost, "utf8");
  take("REMOTE_PORT", String(req.srcPort), "utf8");
  take("REQUEST_METHOD", req.method, "utf8");
  // What the client has asked for, whatever a rewrite has made of it: applications make their own URLs of that.
  take("REQUEST_URI", req.originalURI, "latin1");
  take("QUERY_STRING", req.queryString.slice(1), "latin1");
  take("DOCUMENT_ROOT", script.documentRoot, "utf8");
  take("DOCUMENT_URI", script.name + script.pathInfo, "utf8");
  take("SCRIPT_NAME", script.name, "utf8");
  take("SCRIPT_FILENAME", script.filename, "utf8");
  take("PATH_INFO", script.pathInfo, "utf8");
  if (script.pathInfo !== "") take("PATH_TRANSLATED", script.documentRoot + script.pathInfo, "utf8");
  take("CONTENT_TYPE", req.header("content-type") ?? "", "latin1");
  take("CONTENT_LENGTH", contentSize === undefined || contentSize === 0 ? "" : String(contentSize), "utf8");
  // PHP that was built to be careful runs only what a web server redirected to it.
  take("REDIRECT_STATUS", "200", "utf8");
  tellFields(req, underscores, take);
}

/** The end of the connection that took the request, and a name for it, which RFC 3875 4.1.14 wants in any case. */
function tellServer({ peer: { local }, hostname, scheme }: Request, take: ParamHandler): void {
  const address = local?.address ?? "";
  const ownName = address === "" ? "localhost" : address.includes(":") ? `[${address}]` : address;
  take("SERVER_NAME", hostname === "" ? ownName : hostname, "utf8");
  take("SERVER_ADDR", address, "utf8");
  // There is none of a UNIX socket: then that of the scheme, as programs expect a number.
  const port = local === undefined || local.port === 0 ? (scheme === "https" ? 443 : 80) : local.port;
  take("SERVER_PORT", String(port), "utf8");
}

/** Each field as `HTTP_` and its name, with `_` for `-`. A name with `_` would be told as that with `-`, which others may trust: that one wins. */
function tellFields(req: Request, underscores: boolean, take: ParamHandler): void {
  take("HTTP_HOST", req.authority, "utf8");
  const fields = joinedFields(req.headers);
  for (const [name, value] of fields) {
    if (untold.has(name.replaceAll("_", "-"))) continue;
    if (name.includes("_") && (!underscores || fields.has(name.replaceAll("_", "-")))) continue;
    take(`HTTP_${name.toUpperCase().replaceAll("-", "_")}`, value, "latin1");
  }
}

const untold: ReadonlySet<string> = new Set([
  // Programs take HTTP_PROXY for the proxy that they are to use: whoever sends it would be that proxy ("httpoxy").
  "proxy",
  // Told under names of their own.
  "host",
  "content-type",
  "content-length",
  // Of the connection to us, and not theirs to know.
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);
