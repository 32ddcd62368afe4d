// For tests, of contribs too: a certificate that vouches for itself, made by openssl.

import { execFileSync } from "node:child_process";

/** Writes NAME.crt and NAME.key into a folder. `covers`: default: localhost and 127.0.0.1. `curve`: default: P-256. */
export function makeCertificate(
  folder: string,
  name: string,
  covers = "DNS:localhost,IP:127.0.0.1",
  curve = "P-256",
): void {
  const request =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:${curve} -nodes -days 10 -subj /CN=test ` +
    `-addext subjectAltName=${covers} -keyout ${name}.key -out ${name}.crt`;
  execFileSync("openssl", request.split(" "), { cwd: folder, stdio: "ignore" });
}
