// The directives of Cache-Control (RFC 9111 section 5.2).

/**
 * Directives by name, in lower case, with their arguments; `""`: none. Of a repeated directive, the first counts. Of
 * `private` and `no-cache` all count: without field names, they are about the whole response.
 */
export type Directives = ReadonlyMap<string, string>;

/** For a message that has no directives. */
export const noDirectives: Directives = new Map();

/**
 * The directives of a `cache-control` field. A malformed member becomes a directive of that name all the same, if it
 * begins with a name: `no-store = 1` still forbids storing.
 */
export function parseDirectives(field: string | undefined): Directives {
  if (field === undefined || field === "") return noDirectives;
  const directives = new Map<string, string>();
  // A quoted argument may contain commas.
  const member = /[ \t,]*([^ \t,="]*)[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^,]*)))?[^,]*/gy;
  for (const [, name = "", quoted, token] of field.matchAll(member)) {
    const key = name.toLowerCase();
    if (key === "") continue;
    const argument = quoted?.replace(/\\(.)/g, "$1") ?? token?.trim() ?? "";
    const before = directives.get(key);
    if (qualified.has(key)) directives.set(key, qualifiedBy(before, argument));
    else if (before === undefined) directives.set(key, argument);
  }
  return directives;
}

const qualified: ReadonlySet<string> = new Set(["private", "no-cache"]);

/** Field names of one directive and those of it before; `""`: one of them is about all, or names no fields. */
function qualifiedBy(before: string | undefined, argument: string): string {
  if (before === "" || !/^[!#$%&'*+.^_`|~\w ,\t-]+$/.test(argument)) return "";
  return before === undefined ? argument : `${before},${argument}`;
}

/**
 * The argument of a directive in seconds (RFC 9111 section 1.2.2); `undefined` without the directive. A malformed
 * argument gives 0: the response is then considered stale (section 4.2.1).
 */
export function secondsIn(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  return /^\d+$/.test(argument) ? Math.min(Number(argument), maxSeconds) : 0;
}

/** The field names that a qualified directive lists, such as `private="set-cookie"`, in lower case. */
export function fieldNamesIn(directives: Directives, name: string): readonly string[] {
  const argument = directives.get(name);
  return argument === undefined || argument === ""
    ? []
    : argument
        .toLowerCase()
        .split(/[ \t,]+/)
        .filter(Boolean);
}

/** 2^31: what larger values count as (RFC 9111 section 1.2.2). */
export const maxSeconds = 2_147_483_648;
