// Requests that another site has made the browser send: refused, although the browser has a session. The hostnames of
// the webapp refuse a foreign `Host` (DNS rebinding) before.

import { HTTPError, type Request } from "@hemi/hemi";

/** Throws HTTPError 403. */
export function refuseForeign(req: Request): void {
  const origin = req.header("origin");
  const isOurs = origin === `${req.scheme}://${req.authority}`;
  if (origin !== undefined && !isOurs) throw new HTTPError(403, "a foreign origin");
  // Browsers name the origin of whatever changes something.
  if (req.method !== "GET" && req.method !== "HEAD" && !isOurs) throw new HTTPError(403, "no origin");
  // Another port of this host is another site to us, though not to cookies.
  const site = req.header("sec-fetch-site") ?? "none";
  if (site === "same-origin" || site === "none") return;
  const isLink = req.header("sec-fetch-mode") === "navigate" && !req.path.startsWith("/api/");
  if (!isLink) throw new HTTPError(403, "a foreign site");
}
