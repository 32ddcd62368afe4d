// The OpenSSL names of ciphers.

import { createSecureContext, type SecureContextOptions } from "node:tls";

/** Why OpenSSL rejects a list of ciphers; `undefined`: the list is valid. */
export function flawOfCiphers(ciphers: string): string | undefined {
  return flawOf({ ciphers });
}

/** The same for the groups of an exchange of keys. */
export function flawOfCurves(ecdhCurve: string): string | undefined {
  return flawOf({ ecdhCurve });
}

function flawOf(options: SecureContextOptions): string | undefined {
  try {
    createSecureContext(options);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
