// The data of static records, from their text in the configuration to bytes.

import { isIPv4, isIPv6 } from "node:net";
import { encode, type Answer } from "dns-packet";
import { headerSize } from "../message/codes.ts";
import { wireName } from "../message/names.ts";

/** The types that static records may have. */
export const recordTypes = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"] as const;
export type RecordType = (typeof recordTypes)[number];

/** The data of one record, or why the text is none: "takes an IPv4 address". */
export function recordData(type: RecordType, text: string): Buffer | string {
  const record = recordOf(type, text);
  if (typeof record === "string") return record;
  // The name is the root, so that the data is behind 11 bytes: name, type, class, lifetime, length.
  return Buffer.from(encode({ type: "response", answers: [record] }).subarray(headerSize + 11));
}

function recordOf(type: RecordType, text: string): Answer | string {
  const name = ".";
  switch (type) {
    case "A":
      return isIPv4(text) ? { type, name, data: text } : "takes an IPv4 address";
    case "AAAA":
      return isIPv6(text) && !text.includes("%") ? { type, name, data: text } : "takes an IPv6 address";
    case "CNAME":
    case "NS":
    case "PTR":
      return isHost(text) ? { type, name, data: text } : "takes a name, such as www.example";
    case "TXT":
      return { type, name, data: pieces(Buffer.from(text)) };
    case "MX": {
      const [, preference, exchange = ""] = /^(\d{1,5}) (\S+)$/.exec(text) ?? [];
      if (!isUint16(preference) || !isHost(exchange)) return 'takes a preference and a name: "10 mail.example"';
      return { type, name, data: { preference: Number(preference), exchange } };
    }
    case "SRV": {
      const [, priority, weight, port, target = ""] = /^(\d{1,5}) (\d{1,5}) (\d{1,5}) (\S+)$/.exec(text) ?? [];
      if (![priority, weight, port].every(isUint16) || !isHost(target)) {
        return 'takes priority, weight, port and a name: "0 5 5060 sip.example"';
      }
      return { type, name, data: { priority: Number(priority), weight: Number(weight), port: Number(port), target } };
    }
    case "CAA": {
      const [, bits, tag, value] = /^(0|128) (issue|issuewild|iodef) "?([^"]*)"?$/.exec(text) ?? [];
      if (tag !== "issue" && tag !== "issuewild" && tag !== "iodef")
        return 'takes flags, a tag and a value: "0 issue ca.example"';
      return { type, name, data: { issuerCritical: bits === "128", flags: Number(bits), tag, value: value ?? "" } };
    }
  }
}

function isHost(text: string): boolean {
  return wireName(text) !== undefined;
}

function isUint16(text: string | undefined): boolean {
  return text !== undefined && Number(text) <= 65_535;
}

/** A text of a TXT record has 255 bytes at most (RFC 1035 3.3). */
function pieces(bytes: Buffer): Buffer[] {
  const list: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) list.push(bytes.subarray(at, at + 255));
  return list;
}
