// The frames that are sent to and fro: texts of 32 bytes, made once.

const content = Buffer.alloc(32, "x");
const mask = Buffer.from([1, 2, 3, 4]);

/** As clients send it: with a mask. */
export const askFrame = Buffer.concat([
  Buffer.from([0x81, 0x80 | content.length]),
  mask,
  content.map((byte, at) => byte ^ (mask[at % 4] ?? 0)),
]);

/** As servers send it. */
export const answerFrame = Buffer.concat([Buffer.from([0x81, content.length]), content]);

export const frameSize = askFrame.length;

/** What is hashed to accept a key (RFC 6455 4.2.2). */
export function acceptKey(key: string): string {
  return key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
}
