// Decodes names that are not plain text: parameters with a charset (RFC 8187), and encoded words of mail (RFC 2047).

/**
 * The value of a parameter such as `filename*`: `UTF-8'en'%e2%82%ac.txt`. `undefined`: malformed, or in an unsupported
 * charset.
 */
export function decodeExtended(value: string): string | undefined {
  const [, charset = "", encoded] =
    /^(utf-8|iso-8859-1)'[^']*'((?:[!#$&+\-.^_`|~0-9A-Za-z]|%[0-9A-Fa-f]{2})*)$/i.exec(value) ?? [];
  if (encoded === undefined) return undefined;
  return decodeOctets(unescapeOctets(encoded, "%"), charset);
}

/**
 * Decodes `=?UTF-8?B?4oKsLnR4dA==?=`, which some mail libraries use for file names. Any other text is returned
 * unchanged.
 */
export function decodeWords(text: string): string {
  if (!text.startsWith("=?") || !wordsOnly.test(text)) return text;
  const words = [...text.matchAll(word)].map(([, charset = "", coding = "", encoded = ""]) => {
    const isBase64 = coding.toUpperCase() === "B";
    const octets = isBase64 ? Buffer.from(encoded, "base64") : unescapeOctets(encoded.replaceAll("_", " "), "=");
    return decodeOctets(octets, charset);
  });
  return words.includes(undefined) ? text : words.join("");
}

const word = /=\?([A-Za-z0-9-]+)(?:\*[A-Za-z0-9-]+)?\?([BbQq])\?([!->@-~]*)\?=/g;
/** White space between two words is removed (RFC 2047 6.2). */
const wordsOnly = new RegExp(`^${word.source}(?:[ \\t]+${word.source})*$`);

/** `mark` followed by two hexadecimal digits is an octet. */
function unescapeOctets(text: string, mark: "%" | "="): Buffer {
  const octets = text.replaceAll(mark === "%" ? /%([0-9A-Fa-f]{2})/g : /=([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  );
  return Buffer.from(octets, "latin1");
}

/** `undefined`: unknown charset. */
function decodeOctets(octets: Buffer, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
