// The connection IDs that we give. Where worker processes share a port, each names the worker that has the connection,
// so that a packet which the kernel gives to another one can be passed on.
//
//   port of the worker's relay, masked (2) | check (2) | random (12)
//
// Mask and check are of a MAC with a secret of the workers: nobody else can make an ID that names a port, or read it.

import { createHmac, createSecretKey, randomBytes, type KeyObject } from "node:crypto";

/** Of the IDs that we give, in bytes. */
export const connIdSize = 16;

export class ConnIds {
  readonly #secret: KeyObject | undefined;
  readonly #port: number;

  /** `secret`: that of the workers; `undefined`: there is only one. `port`: of the relay of this worker. */
  constructor(secret?: Buffer, port = 0) {
    this.#secret = secret && createSecretKey(secret);
    this.#port = port;
  }

  make(): Buffer {
    const id = randomBytes(connIdSize);
    if (this.#secret === undefined) return id;
    const mac = macOf(this.#secret, id);
    id.writeUInt16BE(this.#port ^ mac.readUInt16BE(0), 0);
    id.writeUInt16BE(mac.readUInt16BE(2), 2);
    return id;
  }

  /** The port of the relay of the other worker that has given this ID; `undefined`: it is none of another worker. */
  otherOwner(id: Buffer): number | undefined {
    if (this.#secret === undefined || id.length !== connIdSize) return undefined;
    const mac = macOf(this.#secret, id);
    if (id.readUInt16BE(2) !== mac.readUInt16BE(2)) return undefined;
    const port = id.readUInt16BE(0) ^ mac.readUInt16BE(0);
    return port === this.#port || port === 0 ? undefined : port;
  }
}

function macOf(secret: KeyObject, id: Buffer): Buffer {
  return createHmac("sha256", secret).update("connection ID").update(id.subarray(4)).digest();
}
