// The parameters of a request for a program behind CGI, FastCGI or SCGI (RFC 3875 section 4.1, and what PHP expects in
// addition).

import type { ParamHandler } from "../../cgi/programs.ts";
import { ownRequestFields } from "../../http/field-names.ts";
import { joinedFields } from "../../http/fields.ts";
import type { Request } from "../../web/request/request.ts";

/** The program for a request. */
export interface Script {
  /** Its absolute file name. */
  readonly filename: string;
  /** Its path in the webapp, decoded: `/blog/index.php`. */
  readonly name: string;
  /** The rest of the path after it: `/2026/11`, or "". */
  readonly pathInfo: string;
  /** The folder to which paths of the webapp are relative. */
  readonly documentRoot: string;
}

/**
 * Passes all parameters. `contentSize` in bytes: the protocol needs it. `underscores`: whether to include fields with
 * `_` or the like in their names.
 */
export function tellRequest(
  req: Request,
  script: Script,
  { contentSize, underscores }: { readonly contentSize: number | undefined; readonly underscores: boolean },
  take: ParamHandler,
): void {
  take("GATEWAY_INTERFACE", "CGI/1.1", "utf8");
  // WordPress and others decide by name which servers support rewriting. For others, they offer only URLs like
  // /index.php/….
  take("SERVER_SOFTWARE", "hemi (like nginx)", "utf8");
  take("SERVER_PROTOCOL", `HTTP/${req.version}`, "utf8");
  tellServer(req, take);
  take("REQUEST_SCHEME", req.scheme, "utf8");
  if (req.scheme === "https") take("HTTPS", "on", "utf8");
  take("REMOTE_ADDR", req.srcHost, "utf8");
  take("REMOTE_PORT", String(req.srcPort), "utf8");
  take("REQUEST_METHOD", req.method, "utf8");
  // The URI that the client requested, before any rewrite: applications build their own URLs from it.
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
  // PHP with cgi.force_redirect runs only scripts that a web server redirected to it.
  take("REDIRECT_STATUS", "200", "utf8");
  tellFields(req, underscores, take);
}

/** The local end of the connection, and a name for it, which RFC 3875 4.1.14 requires. */
function tellServer({ peer: { local }, hostname, scheme }: Request, take: ParamHandler): void {
  const address = local?.address ?? "";
  const ownName = address === "" ? "localhost" : address.includes(":") ? `[${address}]` : address;
  take("SERVER_NAME", hostname === "" ? ownName : hostname, "utf8");
  take("SERVER_ADDR", address, "utf8");
  // A UNIX socket has no port: use the default port of the scheme, because programs expect a number.
  const port = local === undefined || local.port === 0 ? (scheme === "https" ? 443 : 80) : local.port;
  take("SERVER_PORT", String(port), "utf8");
}

/**
 * Each field as `HTTP_` and its name, with `_` for all that is no letter and no digit: PHP does so with dots. A name
 * with `_` or `.` would equal that with `-`, which programs may trust: the latter wins.
 */
function tellFields(req: Request, underscores: boolean, take: ParamHandler): void {
  take("HTTP_HOST", req.authority, "utf8");
  const fields = joinedFields(req.headers);
  for (const [name, value] of fields) {
    const plain = name.replaceAll(/[^0-9a-z]/g, "-");
    if (untold.has(plain)) continue;
    if (plain !== name && (!underscores || fields.has(plain))) continue;
    take(`HTTP_${plain.toUpperCase().replaceAll("-", "_")}`, value, "latin1");
  }
}

const untold: ReadonlySet<string> = new Set([
  // Programs use HTTP_PROXY as their own proxy setting: the sender could intercept their requests ("httpoxy").
  "proxy",
  // Passed under their own names.
  "host",
  "content-type",
  "content-length",
  ...ownRequestFields,
]);
