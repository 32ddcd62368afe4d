// The names of ciphers, as OpenSSL knows them.

import { createSecureContext } from "node:tls";

/** What OpenSSL has against a list of ciphers; `undefined`: it can be used. */
export function flawOfCiphers(ciphers: string): string | undefined {
  try {
    createSecureContext({ ciphers });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
