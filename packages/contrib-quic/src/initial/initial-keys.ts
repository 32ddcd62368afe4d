// Opens the Initial packets of a client (RFC 9001 5.2 to 5.4). Their keys follow from the connection ID that the client
// has chosen: anyone on the way can read them.

import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { LongHeader } from "./long-header.ts";

export class InitialKeys {
  readonly #key: Buffer;
  readonly #iv: Buffer;
  readonly #headerKey: Buffer;

  /** `dcid`: the connection ID that the first packet was sent to. */
  constructor(dcid: Uint8Array) {
    const initial = createHmac("sha256", salt).update(dcid).digest();
    const client = expand(initial, "client in", 32);
    this.#key = expand(client, "quic key", 16);
    this.#iv = expand(client, "quic iv", 12);
    this.#headerKey = expand(client, "quic hp", 16);
  }

  /** The frames of an Initial packet; `undefined`: it was not made with these keys. The bytes stay as they are. */
  open(bytes: Buffer, at: number, { numberAt, end }: LongHeader): Buffer | undefined {
    const sample = bytes.subarray(numberAt + 4, numberAt + 20);
    if (numberAt + 20 > end) return undefined;
    const mask = createCipheriv("aes-128-ecb", this.#headerKey, null).update(sample);
    const head = Buffer.from(bytes.subarray(at, numberAt + 4));
    const first = (head[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
    const numberSize = (first & 0x03) + 1;
    head[0] = first;
    const nonce = Buffer.from(this.#iv);
    for (let i = 0; i < numberSize; i++) {
      const place = numberAt - at + i;
      const byte = (head[place] ?? 0) ^ (mask[i + 1] ?? 0);
      head[place] = byte;
      // The first packets of a client have small numbers, of which all bytes are sent.
      nonce[12 - numberSize + i] = (nonce[12 - numberSize + i] ?? 0) ^ byte;
    }
    const decipher = createDecipheriv("aes-128-gcm", this.#key, nonce);
    decipher.setAAD(head.subarray(0, numberAt - at + numberSize));
    decipher.setAuthTag(bytes.subarray(end - 16, end));
    const opened = decipher.update(bytes.subarray(numberAt + numberSize, end - 16));
    try {
      decipher.final();
      return opened;
    } catch {
      return undefined;
    }
  }
}

/** HKDF-Expand-Label (RFC 8446 7.1) for up to one block of SHA-256. */
function expand(secret: Buffer, label: string, size: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, "latin1");
  const info = Buffer.concat([Buffer.from([size >> 8, size & 0xff, name.length]), name, Buffer.from([0, 1])]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, size);
}

/** RFC 9001 5.2, for version 1. */
const salt = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");
