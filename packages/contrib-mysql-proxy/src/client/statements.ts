// What the proxy has to know of a statement, to let replicas answer it or not. It does not parse SQL: whatever might do
// more than read goes to the server that writes.

/**
 * - `read`: a replica may answer it.
 * - `setting`: changes the session, and has to be repeated at a replica.
 * - `binding`: leaves something in the session that replicas do not have: from then on, none is asked.
 * - `write`: everything else.
 */
export type StatementKind = "read" | "setting" | "binding" | "write";

export function kindOf(sql: string): StatementKind {
  if (sql.length > maxRead) return "write";
  const statement = withoutComments(sql);
  // MySQL executes what stands in such a comment.
  const isHidden = /\/\*M?!/.test(sql);
  if (isHidden || /;\s*\S/.test(statement)) return "binding";
  const [, word = ""] = /^\s*([a-z]+)/i.exec(statement) ?? [];
  switch (word.toUpperCase()) {
    case "SELECT":
      return mayWrite.test(statement) ? "write" : "read";
    case "SET":
      return /^\s*set\s+(?:global|persist|persist_only|password|@@global|@@persist|default\s+role)\b/i.test(statement)
        ? "write"
        : "setting";
    case "USE":
      return "setting";
    case "CREATE":
      return /\btemporary\b/i.test(statement) ? "binding" : "write";
    case "LOCK":
    case "CALL":
    case "EXECUTE":
    case "HANDLER":
      return "binding";
    default:
      return "write";
  }
}

/** The database that a statement makes the current one; "": one that it hides. `undefined`: it makes none. */
export function databaseIn(sql: string): string | undefined {
  const at = firstWordAt(sql);
  // The word may stand behind what was looked at.
  if (at >= sql.length) return at > maxShort ? "" : undefined;
  const statement = sql.slice(at, at + maxShort);
  if (!/^(?:\/\*M?!\d*\s*)?use(?![\w$])/i.test(statement)) return undefined;
  if (sql.length - at > maxShort) return "";
  const [, quoted, plain = ""] = /^use(?:\s*`([^`]+)`|\s+([^\s;`]+))\s*;?\s*$/i.exec(withoutComments(statement)) ?? [];
  return quoted ?? plain;
}

/** Where the white space and the comments at the beginning end, except comments that MySQL executes. */
function firstWordAt(sql: string): number {
  const blank = /[\x00-\x20]+|\/\*(?!M?!)[^]*?(?:\*\/|$)|--(?=[\x00-\x20]|$)[^\n]*|#[^\n]*/y;
  let at = 0;
  while (blank.test(sql)) at = blank.lastIndex;
  return at;
}

/** The session that a statement ends, or whose query it ends. */
export function killIn(sql: string): { readonly what: string; readonly id: number } | undefined {
  if (sql.length > maxShort) return undefined;
  const statement = withoutComments(sql);
  const [, what = "", id] =
    /^\s*kill\s+((?:(?:hard|soft|connection|query)\s+)*)(\d{1,10})\s*;?\s*$/i.exec(statement) ?? [];
  return id === undefined ? undefined : { what, id: Number(id) };
}

/**
 * Comments are white space, also one that does not end. Those in texts are taken out, too: nothing but words is looked
 * for.
 */
function withoutComments(sql: string): string {
  return sql.includes("/*") || sql.includes("--") || sql.includes("#")
    ? sql.replaceAll(/\/\*[^]*?(?:\*\/|$)|--[ \t\r\n][^\n]*|#[^\n]*/g, " ")
    : sql;
}

/**
 * A SELECT that locks, that writes to files and variables, or whose result is about the session: variables, the last
 * id, locks, sequences. Such a word in a text or a name only costs a way to a replica.
 */
const mayWrite = new RegExp(
  [
    "[@]",
    String.raw`\b(?:into|update|share|lock|procedure|nextval|lastval|setval|get_lock|release_lock|release_all_locks)\b`,
    String.raw`\b(?:is_used_lock|is_free_lock|last_insert_id|found_rows|row_count|sql_calc_found_rows|connection_id)\b`,
    String.raw`\b(?:next|previous)\s+value\b`,
  ].join("|"),
  "i",
);

/** In letters. Not props: longer statements are not looked at. */
const maxRead = 64 * 1024;
const maxShort = 300;
