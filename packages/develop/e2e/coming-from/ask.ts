// One request of a test, as it is asked of two servers.

import { request, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

/**
 * `GET /path`; `GET /path upgrade` asks for a WebSocket; further words are fields, percent-encoded:
 * `POST / content-length=2000000`, which brings as many bytes.
 */
export type Line = string;

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** `host`: whom to ask for. */
export function readLine(line: Line, host: string): Asked {
  const [method = "", path = "", ...words] = line.split(" ");
  const headers: Record<string, string> = { host };
  for (const word of words) {
    if (word === "upgrade") Object.assign(headers, handshake);
    else {
      const [name = "", value = ""] = word.split("=", 2);
      headers[name] = decodeURIComponent(value);
    }
  }
  return { method, path, headers };
}

const handshake = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** What is compared of an answer. */
export interface Answer {
  readonly status: number;
  readonly content: string;
  /** `undefined`: the answer has no such field. */
  readonly fields: Readonly<Record<string, string | undefined>>;
}

/** Asks the server at `host:port`. `fields`: the names of those to look at. Of a 101, what the new protocol brings. */
export async function ask(address: string, asked: Asked, fields: readonly string[]): Promise<Answer> {
  const { method, path, headers } = asked;
  const [host, port] = address.split(":");
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const req = request({ host, port, method, path, headers, agent: false });
  async function readAnswer(answer: IncomingMessage, stream: NodeJS.ReadableStream, first: Uint8Array) {
    const content = Buffer.concat([first, await buffer(stream)]).toString();
    const values = fields.map((name) => [name, answer.headers[name]?.toString()] as const);
    resolve({ status: answer.statusCode ?? 0, content, fields: Object.fromEntries(values) });
  }
  req.on("response", (answer) => void readAnswer(answer, answer, Buffer.alloc(0)).catch(reject));
  req.on("upgrade", (answer, socket, first) => void readAnswer(answer, socket, first).catch(reject));
  req.on("error", reject);
  req.end(Buffer.alloc(Number(headers["content-length"] ?? 0)));
  return await promise;
}
