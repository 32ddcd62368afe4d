// The error codes of HTTP/3 (RFC 9114 8.1, RFC 9204 8.3, RFC 9297 2.1.1), and the errors of a connection.

export const errorCode = {
  datagramError: 0x33,
  noError: 0x100,
  generalProtocolError: 0x101,
  internalError: 0x102,
  streamCreationError: 0x103,
  closedCriticalStream: 0x104,
  frameUnexpected: 0x105,
  frameError: 0x106,
  excessiveLoad: 0x107,
  idError: 0x108,
  settingsError: 0x109,
  missingSettings: 0x10a,
  requestRejected: 0x10b,
  requestCancelled: 0x10c,
  requestIncomplete: 0x10d,
  messageError: 0x10e,
  connectError: 0x10f,
  versionFallback: 0x110,
  qpackDecompressionFailed: 0x200,
  qpackEncoderStreamError: 0x201,
  qpackDecoderStreamError: 0x202,
} as const;

/** One of the codes that we send. Those of a peer may be any number. */
export type Http3ErrorCode = (typeof errorCode)[keyof typeof errorCode];

/** The name that the RFCs give a code, such as `H3_FRAME_ERROR`. */
export function errorName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16)}`;
}

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(errorCode).map(([name, code]) => {
    const upper = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    return [code, code >= 0x200 ? upper : `H3_${upper}`];
  }),
);

/** What a peer did that ends the whole connection. Thrown while its bytes are read, and caught by the connection. */
export class Http3ConnError extends Error {
  readonly code: Http3ErrorCode;

  constructor(code: Http3ErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}
