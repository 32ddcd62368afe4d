// The names of ciphers, as OpenSSL knows them.

import { createSecureContext, type SecureContextOptions } from "node:tls";

/** What OpenSSL has against a list of ciphers; `undefined`: it can be used. */
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
