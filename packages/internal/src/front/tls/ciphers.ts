// The OpenSSL names of ciphers.

import { createSecureContext } from "node:tls";

/** Why OpenSSL rejects a list of ciphers; `undefined`: the list is valid. */
export function flawOfCiphers(ciphers: string): string | undefined {
  try {
    createSecureContext({ ciphers });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
