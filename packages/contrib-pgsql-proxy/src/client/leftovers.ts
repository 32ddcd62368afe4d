// What a command leaves in the session of a server, by its tag ("CommandComplete").

/**
 * - `dirty`: something that the next client must not find: a setting, a prepared statement, a cursor, a table.
 * - `bound`: the client depends on this very session from here on.
 * - `forgotten`: prepared statements are gone.
 * - `clean`: so is everything else.
 */
export type Leftover = "none" | "dirty" | "bound" | "forgotten" | "clean";

/** Of a message of the type `C`. */
export function leftoverOf(bytes: Buffer, start: number, end: number): Leftover {
  const first = bytes[start + 5];
  // Most commands, by their first letter, leave nothing: INSERT, UPDATE, BEGIN, COMMIT.
  if (first !== 83 && first !== 76 && first !== 80 && first !== 68 && first !== 67) return "none";
  return tags.get(bytes.toString("latin1", start + 5, end - 1)) ?? "none";
}

const tags: ReadonlyMap<string, Leftover> = new Map<string, Leftover>([
  ["SET", "dirty"],
  ["PREPARE", "dirty"],
  ["LOAD", "dirty"],
  ["DECLARE CURSOR", "dirty"],
  ["CREATE TABLE", "dirty"],
  ["CREATE TABLE AS", "dirty"],
  ["CREATE VIEW", "dirty"],
  ["CREATE SEQUENCE", "dirty"],
  ["DO", "dirty"],
  ["CALL", "dirty"],
  ["LISTEN", "bound"],
  ["DISCARD ALL", "clean"],
  ["DEALLOCATE ALL", "forgotten"],
]);
