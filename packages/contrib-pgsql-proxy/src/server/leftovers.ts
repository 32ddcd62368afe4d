// What a command leaves in the session of a server, by its tag ("CommandComplete").

/**
 * - `dirty`: something that the next client must not find: a setting, a prepared statement, a cursor, a table.
 * - `bound`: the client depends on this very session from here on.
 * - `reset`: settings are those of the server again, also those that the client has begun with.
 * - `forgotten`: prepared statements are gone.
 * - `clean`: so is everything else.
 */
export type Leftover = "none" | "dirty" | "bound" | "reset" | "forgotten" | "clean";

/**
 * Of a message of the type `C`. `hasResult`: rows, or their description, came before it; `undefined`: the client did
 * not ask whether there are any.
 */
export function leftoverOf(bytes: Buffer, start: number, end: number, hasResult: boolean | undefined): Leftover {
  const first = bytes[start + 5];
  // Most commands, by their first letter, leave nothing: BEGIN, COMMIT, VACUUM.
  if (first === undefined || !firstLetters.has(first)) return "none";
  const tag = bytes.toString("latin1", start + 5, end - 1);
  // CREATE TABLE AS and SELECT INTO have the tag of a SELECT, but no result. Without rows, and without a description,
  // they are not told apart.
  if (tag.startsWith("SELECT ") && (hasResult === false || (hasResult === undefined && tag !== "SELECT 0"))) {
    return "dirty";
  }
  // All kinds of objects can be temporary, also by their schema: `pg_temp`.
  if (tag.startsWith("CREATE ")) return "dirty";
  // With a count.
  if (firing.has(tag.slice(0, tag.indexOf(" ")))) return "dirty";
  return tags.get(tag) ?? "none";
}

/** They fire triggers, which may set something. */
const firing: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "MERGE", "COPY"]);

const tags: ReadonlyMap<string, Leftover> = new Map<string, Leftover>([
  ["SET", "dirty"],
  ["PREPARE", "dirty"],
  ["LOAD", "dirty"],
  ["DECLARE CURSOR", "dirty"],
  ["DO", "dirty"],
  // With ANALYZE, it runs what it explains.
  ["EXPLAIN", "dirty"],
  ["CALL", "dirty"],
  ["TRUNCATE TABLE", "dirty"],
  ["LISTEN", "bound"],
  ["RESET", "reset"],
  ["DISCARD ALL", "clean"],
  // It may have been a statement of another client.
  ["DEALLOCATE", "dirty"],
  ["DEALLOCATE ALL", "forgotten"],
]);

/** Of SELECT and SET, RESET, LISTEN and LOAD, PREPARE, those that begin with D, CREATE and CALL, EXPLAIN, INSERT, … */
const firstLetters: ReadonlySet<number> = new Set(Buffer.from("SRLPDCEIUMT"));
