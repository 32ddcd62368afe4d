// For tests: a strict parser of RFC 5424 section 6, and of the octet counting of RFC 6587.

export interface SyslogMessage {
  readonly facility: number;
  readonly severity: number;
  readonly timestamp: string;
  readonly hostname: string;
  readonly appName: string;
  readonly processId: string;
  readonly messageId: string;
  readonly structuredData: string;
  /** Without the byte order mark. */
  readonly text: string;
}

/** ABNF of section 6; PRINTUSASCII is `[!-~]`. There is no structured data in the tests. */
const grammar =
  /^<(\d{1,3})>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (-)(?: (.*))?$/s;

/** Throws what is against the RFC. */
export function parseMessage(bytes: Buffer): SyslogMessage {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const found = grammar.exec(text);
  if (found === null) throw new Error(`no message of RFC 5424: ${JSON.stringify(text)}`);
  const [, pri = "", timestamp = "", hostname = "", appName = "", processId = "", messageId = ""] = found;
  const structuredData = found[7] ?? "";
  if (Number(pri) > 191 || String(Number(pri)) !== pri) throw new Error(`no priority: ${pri}`);
  const rest = found[8] ?? "";
  const isMarked = rest.startsWith("\ufeff");
  if (/[\x00-\x1f\x7f]/.test(rest)) throw new Error(`control characters: ${JSON.stringify(rest)}`);
  if (!isMarked && /[^\x20-\x7e]/.test(rest)) throw new Error(`UTF-8 without its mark: ${JSON.stringify(rest)}`);
  return {
    facility: Number(pri) >> 3,
    severity: Number(pri) & 7,
    timestamp,
    hostname,
    appName,
    processId,
    messageId,
    structuredData,
    text: isMarked ? rest.slice(1) : rest,
  };
}

/** Takes whole frames off the beginning: `MSG-LEN SP SYSLOG-MSG`, without leading zeros. */
export function takeFrames(bytes: Buffer): { readonly messages: readonly Buffer[]; readonly rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const space = rest.indexOf(" ");
    const digits = rest.subarray(0, space < 0 ? rest.length : space).toString("latin1");
    if (!/^(?:[1-9]\d*)?$/.test(digits)) throw new Error(`no length of a frame: ${digits.slice(0, 40)}`);
    const end = space + 1 + Number(digits);
    if (space < 0 || rest.length < end) return { messages, rest };
    messages.push(rest.subarray(space + 1, end));
    rest = rest.subarray(end);
  }
}
