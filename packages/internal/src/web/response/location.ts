// The value of a `location` field (RFC 9110 10.2.2): a URI reference, in the characters that a URI allows.

/**
 * Percent-encodes characters that a URI may not contain (RFC 3986), as UTF-8: non-ASCII characters, spaces, quotes,
 * backslashes, single percent signs.
 */
export function encodeLocation(text: string): string {
  return isPlain.test(text) ? text : text.toWellFormed().replace(forbidden, (run) => encodeURIComponent(run));
}

/** Whether this configured text is a valid location, except for non-ASCII letters. */
export function isLocation(text: string): boolean {
  const encoded = encodeLocation(text);
  return text !== "" && !/[\0-\x20\x7f"<>\\^`{|}]/.test(text) && URL.canParse(encoded, "http://a.example/");
}

const isPlain = /^[!#$&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]*$/;
const forbidden = /%(?![0-9A-Fa-f]{2})|[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+/g;
