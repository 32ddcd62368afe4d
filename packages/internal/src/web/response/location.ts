// The value of a `location` field (RFC 9110 10.2.2): a reference to a resource, in the characters that a URI has.

/** Percent-encodes, as UTF-8, what may not stand in a URI (RFC 3986): all but ASCII, spaces, quotes, backslashes, stray percent signs. */
export function encodeLocation(text: string): string {
  return isPlain.test(text) ? text : text.toWellFormed().replace(forbidden, (run) => encodeURIComponent(run));
}

/** May this text, written by hand, be a location as it is, but for letters beyond ASCII? */
export function isLocation(text: string): boolean {
  const encoded = encodeLocation(text);
  return text !== "" && !/[\0-\x20\x7f"<>\\^`{|}]/.test(text) && URL.canParse(encoded, "http://a.example/");
}

const isPlain = /^[!#$&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]*$/;
const forbidden = /%(?![0-9A-Fa-f]{2})|[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+/g;
