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
