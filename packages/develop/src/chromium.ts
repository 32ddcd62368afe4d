// Chromium, as tests drive it.

import { chromium, type Browser } from "playwright-core";

/** Starts it. Nothing of it is to ask the world: no updates, no proxies, no first-run pages. */
export function launchChromium(executablePath: string): Promise<Browser> {
  const args = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return chromium.launch({ executablePath, args, headless: true, chromiumSandbox: false });
}
