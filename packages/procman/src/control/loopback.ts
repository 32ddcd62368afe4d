// Addresses that only this machine can reach.

import { isIP } from "node:net";

export function isLoopback(host: string): boolean {
  return host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
