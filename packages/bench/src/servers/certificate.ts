// The certificate that both sides of the HTTPS comparisons show: one for an elliptic curve, made for this run.

import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string | undefined;

/** The folder that has it, with its key, in `server.pem`. */
export function certificateFolder(): string {
  if (folder !== undefined) return folder;
  folder = mkdtempSync(join(tmpdir(), "hemi-bench-certificate-"));
  const file = join(folder, "server.pem");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file];
  execFileSync("openssl", ["req", "-x509", ...key, "-out", join(folder, "cert.pem"), "-subj", "/CN=127.0.0.1"], {
    stdio: "ignore",
  });
  execFileSync("sh", ["-c", `cat "${folder}/cert.pem" >> "${file}"`]);
  return folder;
}
