// The members of a field whose value is a list (RFC 9110 5.6.1).

/**
 * No prop: nobody names so many options, codings or media types but to keep us busy. What is longer is refused, or
 * counts up to here.
 */
export const maxListMembers = 100;

/** The first of them, `most` at the most. Members may be empty, and do not count then. */
export function listMembers(list: string, most = maxListMembers): string[] {
  const members: string[] = [];
  for (let start = 0; start <= list.length && members.length < most;) {
    const comma = list.indexOf(",", start);
    const end = comma < 0 ? list.length : comma;
    const member = list.slice(start, end).trim();
    if (member !== "") members.push(member);
    start = end + 1;
  }
  return members;
}

/**
 * Whether a field has a member, in one line or in several; without regard to case. `list` has names and values in turn,
 * names in lower case, as `Response.fieldList` does; `name` and `member` are in lower case. What stands behind the
 * first `maxListMembers` members does not count.
 */
export function hasListMember(list: readonly string[], name: string, member: string): boolean {
  let left = maxListMembers;
  for (let i = 0; i < list.length && left > 0; i += 2) {
    if (list[i] !== name) continue;
    const members = listMembers((list[i + 1] ?? "").toLowerCase(), left);
    if (members.includes(member)) return true;
    left -= members.length;
  }
  return false;
}
