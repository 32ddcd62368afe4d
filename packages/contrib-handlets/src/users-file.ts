// A file of users as htpasswd writes it: a name, a colon and a hash on each line.

import { type KnownHash, parseKnownHash } from "./known-hash.ts";

export interface UsersInFile {
  /** By name, in Unicode's form NFC. */
  readonly hashes: ReadonlyMap<string, KnownHash>;
  /** Numbers of the lines that tell no user, from 1 on. */
  readonly wrongLines: readonly number[];
}

/**
 * Empty lines, and those that begin with `#`, are left out. What Apache takes behind a second colon is none of a
 * hash's.
 */
export function parseUsersFile(text: string): UsersInFile {
  const hashes = new Map<string, KnownHash>();
  const wrongLines: number[] = [];
  text.split("\n").forEach((line, index) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return;
    const [name = "", written = ""] = trimmed.split(":");
    const hash = parseKnownHash(written);
    if (name === "" || hash === undefined) wrongLines.push(index + 1);
    else hashes.set(name.normalize("NFC"), hash);
  });
  return { hashes, wrongLines };
}
