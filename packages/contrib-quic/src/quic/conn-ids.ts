// The connection IDs that we give. Where worker processes share a port, each names the worker that has the connection,
// so that a packet which the kernel gives to another one can be passed on.
//
//   port of the worker's relay, masked (2) | check (2) | random (12)
//
// Mask and check are those random bytes encrypted with a secret of the workers: nobody else can make an ID that names a
// port, or read it. It is one block of AES: a MAC took several times as long.

import { createCipheriv, createHmac, randomFillSync, type Cipheriv } from "node:crypto";

/** Of the IDs that we give, in bytes. */
export const connIdSize = 16;

export class ConnIds {
  readonly #cipher: Cipheriv | undefined;
  readonly #port: number;

  /** `secret`: that of the workers; `undefined`: there is only one. `port`: of the relay of this worker. */
  constructor(secret?: Buffer, port = 0) {
    this.#cipher = secret && cipherOf(secret);
    this.#port = port;
  }

  make(): Buffer {
    const id = randomId();
    if (this.#cipher === undefined) return id;
    const mac = macOf(this.#cipher, id);
    id.writeUInt16BE(this.#port ^ mac.readUInt16BE(0), 0);
    id.writeUInt16BE(mac.readUInt16BE(2), 2);
    return id;
  }

  /** The port of the relay of the other worker that has given this ID; `undefined`: it is none of another worker. */
  otherOwner(id: Buffer): number | undefined {
    if (this.#cipher === undefined || id.length !== connIdSize) return undefined;
    const mac = macOf(this.#cipher, id);
    if (id.readUInt16BE(2) !== mac.readUInt16BE(2)) return undefined;
    const port = id.readUInt16BE(0) ^ mac.readUInt16BE(0);
    return port === this.#port || port === 0 ? undefined : port;
  }
}

function cipherOf(secret: Buffer): Cipheriv {
  const key = createHmac("sha256", secret).update("connection ID").digest().subarray(0, 16);
  // Single blocks, none of which comes twice, and of which little is shown: nothing needs a mode.
  return createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
}

function macOf(cipher: Cipheriv, id: Buffer): Buffer {
  id.copy(block, 0, 4);
  return cipher.update(block);
}

/** Random bytes are made for many IDs at once: one by one, each costs more than its encryption. */
function randomId(): Buffer {
  if (randomAt === random.length) {
    randomFillSync(random);
    randomAt = 0;
  }
  randomAt += connIdSize;
  return Buffer.from(random.subarray(randomAt - connIdSize, randomAt));
}

/** What is encrypted: 12 bytes of an ID, and zeros. */
const block = Buffer.alloc(16);
const random = Buffer.alloc(256 * connIdSize);
let randomAt = random.length;
