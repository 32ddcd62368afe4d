// acceptWebTransport: makes a session of an upgrade request, for socklets.

import { assertOrigin, HTTPError, type Upgrade } from "@hemi/internal";
import { sessionOf } from "./conn-sessions.ts";
import type { WebTransportEvents, WebTransportSession } from "./session.ts";
import { defaultSettings, type WebTransportSettings } from "./web-transport-props.ts";

/** Options for accepting a session. */
export interface WebTransportOptions extends WebTransportEvents {
  /** The limits: the props of a socklet that includes `webTransportProps`. Default: the defaults of these props. */
  readonly settings?: WebTransportSettings;
}

/** Whether the client asks for a WebTransport session over HTTP/3. */
export function isWebTransport({ req }: Upgrade): boolean {
  return req.version === "3" && req.upgrades.includes("webtransport");
}

/**
 * Opens a session; it is closed with code 0 when the server drains. Throws HTTPError, which leads to its response: 403
 * for pages of other origins, 429 where the client has as many sessions as `webTransportMaxSessions` allows, 501 for a
 * request that asks for something else, or another version of HTTP.
 */
export function acceptWebTransport(upgrade: Upgrade, options: WebTransportOptions): WebTransportSession {
  const { settings = defaultSettings } = options;
  const { req } = upgrade;
  if (!isWebTransport(upgrade)) throw new HTTPError(501, "the client asks for no WebTransport session over HTTP/3");
  assertOrigin(req, settings.origins, "a WebTransport session");
  // Clients of draft 02 want to hear that it is spoken.
  if (req.header("sec-webtransport-http3-draft02") !== undefined) {
    upgrade.addHeader("sec-webtransport-http3-draft", "draft02");
  }
  const tunnel = upgrade.tunnel("webtransport", () => session?.close(0, "the server goes away"));
  const session = sessionOf(tunnel);
  if (session === undefined) {
    tunnel.destroy();
    throw new HTTPError(501, "this server takes no WebTransport sessions");
  }
  session.begin(options, settings);
  return session;
}
