// Chromium, as tests drive it.

import { chromium, type Browser } from "playwright-core";

/**
 * Starts it. Nothing of it is to ask the world: no updates, no proxies, no first-run pages. `quicArgs`: it may speak
 * HTTP/3, with these arguments.
 */
export function launchChromium(executablePath: string, quicArgs?: readonly string[]): Promise<Browser> {
  const args = [
    "--disable-gpu",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    ...(quicArgs ?? ["--disable-quic"]),
  ];
  return chromium.launch({ executablePath, args, headless: true, chromiumSandbox: false });
}
