// Names that are no plain text: parameters with a charset of their own (RFC 8187), and the encoded words of mail (RFC 2047).

/** The value of a parameter such as `filename*`: `UTF-8'en'%e2%82%ac.txt`. `undefined`: it is malformed, or of a charset that nobody needs to know. */
export function decodeExtended(value: string): string | undefined {
  const [, charset = "", encoded] =
    /^(utf-8|iso-8859-1)'[^']*'((?:[!#$&+\-.^_`|~0-9A-Za-z]|%[0-9A-Fa-f]{2})*)$/i.exec(value) ?? [];
  if (encoded === undefined) return undefined;
  return decodeOctets(unescapeOctets(encoded, "%"), charset);
}

/** `=?UTF-8?B?4oKsLnR4dA==?=`, as some libraries of mail write names of files; any other text stays as it is. */
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
/** What stands between two words is left out (RFC 2047 6.2). */
const wordsOnly = new RegExp(`^${word.source}(?:[ \\t]+${word.source})*$`);

/** `mark` and two hexadecimal digits stand for an octet. */
function unescapeOctets(text: string, mark: "%" | "="): Buffer {
  const octets = text.replaceAll(mark === "%" ? /%([0-9A-Fa-f]{2})/g : /=([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  );
  return Buffer.from(octets, "latin1");
}

/** `undefined`: the charset is not known. */
function decodeOctets(octets: Buffer, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
