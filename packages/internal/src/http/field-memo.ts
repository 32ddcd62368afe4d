// Remembers what was made of the values of one header field: most clients send one of a few.

/** As `read`, but that what it gave is kept for the values seen last. */
export function memoizeField<Result>(read: (field: string) => Result): (field: string | undefined) => Result {
  const results = new Map<string, Result>();
  return function readOnce(field = "") {
    const known = results.get(field);
    if (known !== undefined) return known;
    const result = read(field);
    if (field.length > maxLength) return result;
    // Clients can fill this with values of their own: it starts anew when it is full.
    if (results.size >= maxResults) results.clear();
    results.set(field, result);
    return result;
  };
}

const maxResults = 100;
/** In characters: what a browser sends is shorter. */
const maxLength = 500;
