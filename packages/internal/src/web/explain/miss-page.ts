// The 404 page of development mode: shows the walk of the request, step by step. It exposes the configuration, so only
// developers should see it.

import type { AskedRequest, Explanation, RuleWalk, Walk } from "./explanation.ts";
import { isHTMLNamed } from "../../http/accept.ts";
import type { ExchanWire, RequestHead } from "../../http/exchan.ts";
import type { Response } from "../response/response.ts";
import { explainServer, type ExplainedServer } from "./explain-server.ts";
import { SilentWire } from "../wires/silent-wire.ts";
import { walkText } from "./walk-text.ts";

/**
 * Responds with 404 and the walk: as HTML to clients that accept `text/html`, otherwise as text. The response is not
 * cacheable.
 */
export async function sendMissPage(
  resp: Response,
  { head, peer, tls }: ExchanWire,
  server: ExplainedServer,
): Promise<void> {
  const way = await explainServer(server, new SilentWire(head, peer, tls));
  const walk = inHindsight({ request: askedIn(head, (peer.source ?? peer).address), servers: [], ...way });
  const isHTML = isHTMLNamed(head.fields.get("accept") ?? "");
  resp.reset();
  resp.status = 404;
  resp.setHeader("cache-control", "no-store");
  resp.setHeader("vary", "Accept");
  resp.setHeader("x-content-type-options", "nosniff");
  // Injected content cannot run scripts or load anything.
  resp.setHeader("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  if (isHTML) resp.setHeader("content-type", "text/html; charset=utf-8");
  resp.send(isHTML ? pageOf(walk) : `404 Not Found\n\n${walkText(walk)}\n${note}\n`);
}

const note = "This is development mode; without it, only 404 Not Found is told.";

function askedIn({ method, scheme, authority, target, fields }: RequestHead, srcHost: string): AskedRequest {
  const headers = [...fields].filter(([name]) => name !== "host");
  const url = authority === "" || !target.startsWith("/") ? target : `${scheme}://${authority}${target}`;
  return { method, url, target, authority, headers, srcHost };
}

/** Open questions of the walk are decided now: no component took the request. */
function inHindsight(walk: Walk): Walk {
  const outcome = { type: "refused", status: 404, text: "no rule took it" } as const;
  return walk.rules === undefined ? { ...walk, outcome } : { ...walk, rules: walk.rules.map(ranRule), outcome };
}

function ranRule(rule: RuleWalk): RuleWalk {
  const { asked } = rule;
  return asked === undefined ? rule : { ...rule, asked: asked.map(wasAsked) };
}

function wasAsked<Told extends Explanation>(told: Told): Told {
  return told.takes === "maybe" ? { ...told, takes: "no", text: "was asked" } : told;
}

function pageOf(walk: Walk): string {
  const text = walkText(walk, { paint: (text, tone) => `<span class="${tone}">${escapeHTML(text)}</span>` });
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>404 Not Found</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; }
pre { font: 13px/1.5 ui-monospace, monospace; overflow-x: auto; }
.title { font-weight: bold; }
.place { color: light-dark(#0b6fa4, #6cb8e6); }
.good { color: light-dark(#1a7f37, #5fd17c); }
.bad { color: light-dark(#b3261e, #ff8f85); }
.dim { opacity: 0.6; }
</style>
<h1>404 Not Found</h1>
<pre>${text}</pre>
<p>${note}</p>
`;
}

function escapeHTML(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
