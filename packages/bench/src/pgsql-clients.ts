// Clients of PostgreSQL that log in and then do nothing.

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { connect, type Socket } from "node:net";
import { once } from "node:events";

/** The user `bench` of the configurations. */
const password = "bench";
const nonce = "idle-client-of-the-bench";

/** So many that are logged in, one hundred at a time. */
export async function idleClients(port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, () => logIn(port));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

/** By SCRAM-SHA-256, without checking the proof of the server. Rejects if the server refuses. */
async function logIn(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  let received = Buffer.alloc(0);
  socket.on("data", (bytes) => (received = Buffer.concat([received, bytes])));
  const until = async (isThere: () => boolean): Promise<void> => {
    while (!isThere()) {
      if (received[0] === letter("E") || socket.destroyed) throw new Error(`not let in: ${received.toString()}`);
      await once(socket, "data");
    }
  };
  socket.write(message("", "\0\x03\0\0user\0bench\0database\0postgres\0application_name\0bench\0\0"));
  await until(() => received.includes("SCRAM-SHA-256"));
  received = Buffer.alloc(0);
  const first = `n,,n=,r=${nonce}`;
  socket.write(message("p", `SCRAM-SHA-256\0\0\0\0${String.fromCharCode(first.length)}${first}`));
  await until(() => received.length > 4 && received.length > received.readInt32BE(1));
  const challenge = received.toString("latin1", 9);
  received = Buffer.alloc(0);
  socket.write(message("p", finalOf(challenge)));
  // ReadyForQuery.
  await until(() => received.at(-6) === letter("Z"));
  socket.removeAllListeners("data");
  return socket;
}

function finalOf(challenge: string): string {
  const [, wholeNonce = "", salt = "", iterations] = /^r=(.*),s=(.*),i=(\d+)$/.exec(challenge) ?? [];
  const salted = saltedPassword(salt, Number(iterations));
  const clientKey = hmac(salted, "Client Key");
  const withoutProof = `c=biws,r=${wholeNonce}`;
  const signature = hmac(createHash("sha256").update(clientKey).digest(), `n=,r=${nonce},${challenge},${withoutProof}`);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
  return `${withoutProof},p=${proof.toString("base64")}`;
}

/** Takes milliseconds, and is the same for all clients. */
const salted = new Map<string, Buffer>();
function saltedPassword(salt: string, iterations: number): Buffer {
  const key = `${salt} ${iterations}`;
  const known = salted.get(key) ?? pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, 32, "sha256");
  salted.set(key, known);
  return known;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`, "latin1");
  bytes.writeInt32BE(bytes.length - type.length, type.length);
  return bytes;
}

function letter(text: string): number {
  return text.charCodeAt(0);
}
