// The authority of a request: the value of `Host`, or the authority form of a request target.

import { isIPv6 } from "node:net";

/** `Shop.Example:8080` in two parts. */
export interface Authority {
  /** In lower case, without a trailing dot; an IPv6 address keeps its brackets. Never empty. */
  readonly hostname: string;
  /** `:8080`, or empty where none was given. */
  readonly colonPort: string;
  /** Both, as one is to ask for it. */
  readonly text: string;
}

/**
 * RFC 9110 section 7.2 and RFC 3986 section 3.2.2, read strictly; `undefined` means 400. An empty port is none.
 * Percent-encoding stays as it is: no webapp has such a name. Refused are also, though the grammar has them, an empty
 * host (RFC 9110 section 4.2.1), empty labels, `user@`, and a comma, since two fields `host` that somebody has joined
 * look so.
 */
export function parseAuthority(text: string): Authority | undefined {
  if (text.length > maxLength) return undefined;
  return text.charCodeAt(0) === openingBracket ? parseAddressLiteral(text) : parseName(text);
}

/** 255 for a name with its trailing dot, 6 for the port. */
const maxLength = 261;

const openingBracket = 0x5b;
const colon = 0x3a;
const dot = 0x2e;

const percent = 0x25;

/** What a label may hold, by character code: 1 stays, 2 is an upper-case letter. */
const labelCodes = new Uint8Array(128);
for (const character of "abcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+;=%") labelCodes[character.charCodeAt(0)] = 1;
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZ") labelCodes[character.charCodeAt(0)] = 2;

function parseName(text: string): Authority | undefined {
  let hasUpperCase = false;
  let labelLength = 0;
  let isEncoded = false;
  let end = 0;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    const labelCode = labelCodes[code] ?? 0;
    if (labelCode !== 0) {
      if (labelCode === 2) hasUpperCase = true;
      else if (code === percent) isEncoded = true;
      labelLength++;
    } else if (code === dot) {
      if (labelLength === 0) return undefined;
      labelLength = 0;
    } else if (code === colon) {
      break;
    } else {
      return undefined;
    }
  }
  if (end === 0 || !isPort(text, end)) return undefined;
  const received = text.slice(0, labelLength === 0 ? end - 1 : end);
  if (isEncoded && /%(?![0-9A-Fa-f]{2})/.test(received)) return undefined;
  return inParts(hasUpperCase ? received.toLowerCase() : received, text.slice(end));
}

function parseAddressLiteral(text: string): Authority | undefined {
  const end = text.indexOf("]") + 1;
  const address = text.slice(1, end - 1);
  // A zone, as in "fe80::1%eth0", is of meaning on the client's machine only (RFC 6874).
  if (end === 0 || address.includes("%") || !isIPv6(address) || !isPort(text, end)) return undefined;
  return inParts(text.slice(0, end).toLowerCase(), text.slice(end));
}

function inParts(hostname: string, received: string): Authority {
  const colonPort = received === ":" ? "" : received;
  return { hostname, colonPort, text: hostname + colonPort };
}

/** Whether what begins at `start` is nothing, or a colon and up to 5 digits that are at most 65535. */
function isPort(text: string, start: number): boolean {
  if (start === text.length) return true;
  const digits = text.length - start - 1;
  if (text.charCodeAt(start) !== colon || digits > 5) return false;
  let port = 0;
  for (let i = start + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65535;
}
