// The numbers of DNS that are needed here (IANA "DNS Parameters").

/** Types of records: those that static records may have, and those that are handled specially. */
export const types = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  HINFO: 13,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  CAA: 257,
  /** "Everything": see RFC 8482. */
  ANY: 255,
} as const;

/** Types 128 to 254 are questions about something else than records: transfers of zones, keys (RFC 6895 3.1). */
export function isMetaType(type: number): boolean {
  return type >= 128 && type <= 254;
}

/** The class of the Internet: the only one that is served. */
export const internet = 1;

/** Results. `badVersion` needs EDNS, because it has more than four bits (RFC 6891 6.1.3). */
export const rcodes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

/** Bits of the second and third byte pair of a message (RFC 1035 4.1.1, RFC 4035 3.1.6, 3.2.2). */
export const flags = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authentic: 0x0020,
  checkingDisabled: 0x0010,
  rcode: 0x000f,
} as const;

/** The bit of the flags of EDNS by which a client asks for signatures (RFC 3225). */
export const dnssecOk = 0x8000;

/** The size of the header of a message. */
export const headerSize = 12;

/** What everyone can receive over UDP (RFC 1035 4.2.1). */
export const plainUdpSize = 512;

/** What fits into a datagram that no network fragments: the flag day of 2020. */
export const safeUdpSize = 1232;
