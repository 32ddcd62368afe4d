// The keys of WebSocket handshakes over HTTP/1 (RFC 6455 4.2.2): 16 bytes in base64, sent back hashed. No cache or form
// could answer so.

import { createHash } from "node:crypto";

/** Does it stand for 16 bytes? */
export function isKey(key: string): boolean {
  return /^[+/0-9A-Za-z]{22}==$/.test(key);
}

/** What a server answers to a key: `sec-websocket-accept`. */
export function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
    .digest("base64");
}
