// Replies of the proxy itself.

/** `OK`. */
export const ok: Buffer = Buffer.from("+OK\r\n");

/** Begins with a word in capitals, as Redis has it. Line ends in it are taken out. */
export function errorReply(text: string): Buffer {
  return Buffer.from(`-${text.replaceAll(/[\r\n]/g, " ")}\r\n`);
}

export function bulkReply(bytes: Buffer | string): Buffer {
  const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  return Buffer.concat([Buffer.from(`$${content.length}\r\n`), content, Buffer.from("\r\n")]);
}

export function simpleReply(text: string): Buffer {
  return Buffer.from(`+${text}\r\n`);
}

export function integerReply(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`);
}

/** What a client learns of the server: a map, which in RESP2 is a list. */
export function helloReply(protocol: 2 | 3, id: number, mode: "standalone" | "cluster"): Buffer {
  // The version is that of the commands that the proxy knows; clients look at it before they use newer ones.
  const pairs: readonly (readonly [string, Buffer])[] = [
    ["server", bulkReply("redis")],
    ["version", bulkReply("7.0.0")],
    ["proto", integerReply(protocol)],
    ["id", integerReply(id)],
    ["mode", bulkReply(mode)],
    ["role", bulkReply("master")],
    ["modules", Buffer.from("*0\r\n")],
  ];
  const head = Buffer.from(protocol === 3 ? `%${pairs.length}\r\n` : `*${pairs.length * 2}\r\n`);
  return Buffer.concat([head, ...pairs.flatMap(([name, value]) => [bulkReply(name), value])]);
}
