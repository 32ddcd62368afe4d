// The frames of hrpc (docs/hrpc.md): what each one is, and how it lies in the bytes.
//
//   0        3      4       5            9
//   +--------+------+-------+------------+---------
//   | length | type | flags | stream     | payload    all numbers big-endian; length: of the payload
//   +--------+------+-------+------------+---------

/** The first bytes of each side. */
export const preface = Uint8Array.from("HRPC/1\r\n\r\n", (character) => character.charCodeAt(0));

/** The protocol's name: in ALPN, and as a subprotocol of WebSockets. */
export const protocolName = "hrpc";

/** In bytes. */
export const frameHeadSize = 9;

/** The types of frames. A type that is not here is ignored: later versions may add some. */
export const frameTypes = {
  settings: 0,
  call: 1,
  headers: 2,
  message: 3,
  close: 4,
  end: 5,
  cancel: 6,
  credit: 7,
  ping: 8,
  goAway: 9,
} as const;

/** The flags of frames, by type. */
export const frameFlags = {
  /** Of MESSAGE: the message goes on in the next MESSAGE frame of the stream. */
  more: 0x01,
  /**
   * Of MESSAGE: no message follows this one. From the callee: nothing at all, as the call went well. Of CALL: its only
   * message stands behind the head.
   */
  last: 0x02,
  /** Of MESSAGE, and of CALL with a message: it is compressed, by gzip or Brotli. Each of its frames says so. */
  gzip: 0x04,
  brotli: 0x08,
  /** Of END: the call has never begun, so it may be repeated whatever it does. */
  notBegun: 0x01,
  /** Of PING: it answers one. */
  ack: 0x01,
} as const;

/** Why a connection ends, as GOAWAY has it. */
export const goAwayCodes = {
  /** In order: idle for long, or a server that shuts down. */
  none: 0,
  /** A frame that breaks the rules. */
  protocol: 1,
  /** More bytes than there was credit for. */
  flowControl: 2,
  /** A payload beyond the maximum. */
  frameSize: 3,
  /** Too many frames that bring nothing. */
  flood: 4,
  /** The peer sent nothing, or took nothing, for too long. */
  timeout: 5,
  /** A fault of ours. */
  internal: 6,
} as const;

/** A number of `goAwayCodes`. */
export type GoAwayCode = (typeof goAwayCodes)[keyof typeof goAwayCodes];

/** The peer broke a rule: its connection ends. The message is for logs, and for the peer. */
export class ProtocolFault extends Error {
  override readonly name = "ProtocolFault";
  /** What GOAWAY says. */
  readonly code: GoAwayCode;

  constructor(code: GoAwayCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Takes a frame. The payload is valid until it returns. */
export type FrameTaker = (type: number, flags: number, streamId: number, payload: Uint8Array) => void;

/** Writes the head of a frame, at `at`. `size`: of its payload. */
export function writeFrameHead(
  bytes: Uint8Array,
  size: number,
  type: number,
  flags: number,
  streamId: number,
  at = 0,
): void {
  bytes[at] = size >>> 16;
  bytes[at + 1] = size >>> 8;
  bytes[at + 2] = size;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  writeUint32(bytes, at + 5, streamId);
}

/** A whole frame. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeadSize + payload.length);
  writeFrameHead(bytes, payload.length, type, flags, streamId);
  bytes.set(payload, frameHeadSize);
  return bytes;
}

/** A frame whose payload is one number of 32 bits. */
export function numberFrame(type: number, streamId: number, number: number): Uint8Array {
  const bytes = new Uint8Array(frameHeadSize + 4);
  writeFrameHead(bytes, 4, type, 0, streamId);
  writeUint32(bytes, frameHeadSize, number);
  return bytes;
}

/** Big-endian. */
export function readUint32(bytes: Uint8Array, at: number): number {
  const low = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return (bytes[at] ?? 0) * 0x1000000 + low;
}

export function writeUint32(bytes: Uint8Array, at: number, number: number): void {
  bytes[at] = number >>> 24;
  bytes[at + 1] = number >>> 16;
  bytes[at + 2] = number >>> 8;
  bytes[at + 3] = number;
}
