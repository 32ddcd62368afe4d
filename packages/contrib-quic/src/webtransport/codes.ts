// The numbers of WebTransport over HTTP/3 (draft-ietf-webtrans-http3), of the drafts that browsers speak.

/** What a bidirectional stream of a session begins with, in place of a frame. */
export const bidiSignal = 0x41;
/** The type of a unidirectional stream of a session. */
export const uniStreamType = 0x54;

/** Capsules on the stream of a session's CONNECT. */
export const sessionCapsule = { close: 0x2843, drain: 0x78ae } as const;

/** Settings of a server that takes sessions: draft 02 has a switch, draft 07 and later ones the number of sessions. */
export const sessionSetting = { enable: 0x2b603742, maxSessions: 0xc671706a, maxSessions13: 0x14e9cd29 } as const;

/** Codes of streams that are no codes of the application. */
export const streamCode = { sessionGone: 0x170d7b68, bufferedStreamRejected: 0x3994bd84 } as const;

/** The code of HTTP/3 that stands for one of an application, of 32 bits. */
export function toHttp3Code(code: number): number {
  return firstCode + code + Math.floor(code / 0x1e);
}

/** The code of an application in one of HTTP/3; `undefined`: it is another one. */
export function fromHttp3Code(code: number): number | undefined {
  const shifted = code - firstCode;
  // Codes of the form 0x1f * N + 0x21 are reserved.
  if (shifted < 0 || code > lastCode || (code - 0x21) % 0x1f === 0) return undefined;
  return shifted - Math.floor(shifted / 0x1f);
}

const firstCode = 0x52e4a40fa8db;
const lastCode = 0x52e5ac983162;

/** The largest code of an application. */
export const maxCode = 0xffffffff;
