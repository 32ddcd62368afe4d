// The version of this package.

import { readFileSync } from "node:fs";

export function ownVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL(import.meta.resolve("@hemi/procman/package.json")), "utf8"),
  );
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "?";
}
