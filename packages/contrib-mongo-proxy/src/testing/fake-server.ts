// A server of MongoDB as far as tests need it, written from the specification of the protocol: one collection after the
// other is an array of documents.

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { deflateSync } from "node:zlib";
import { deserialize, type Document, Long } from "bson";
import { documentsIn } from "../protocol/fields.ts";
import { headSize, MessageReader, operations, readHead, writeMessage } from "../protocol/messages.ts";
import { reply } from "../protocol/replies.ts";
import { readRequest, type Request } from "../protocol/requests.ts";

/** How large a message may be. */
const maxSize = 48_000_000;

export class FakeServer implements AsyncDisposable {
  readonly commands: { readonly command: string; readonly database: string }[] = [];
  readonly hellos: Document[] = [];
  readonly sockets = new Set<Socket>();
  port = 0;
  /** Answers instead of the server; `undefined`: it answers. */
  instead: ((request: Request, socket: Socket) => Buffer | undefined) | undefined;
  readonly #collections = new Map<string, Document[]>();
  readonly #server = createServer((socket) => this.#accept(socket));

  static async listen(): Promise<FakeServer> {
    const fake = new FakeServer();
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    const address = fake.#server.address();
    fake.port = address !== null && typeof address === "object" ? address.port : 0;
    return fake;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.sockets.add(socket.on("error", () => undefined).on("close", () => this.sockets.delete(socket)));
    const reader = new MessageReader(
      () => maxSize,
      (message) => {
        const request = readRequest(message, maxSize);
        this.commands.push({ command: request.command, database: request.database });
        const other = this.instead?.(request, socket);
        if (other !== undefined) return void socket.write(other);
        if (this.instead !== undefined && request.command === "hang") return;
        const answer = reply(request, this.#answer(request));
        const isCompressed = readHead(message).operation === operations.compressed;
        socket.write(isCompressed ? compressed(answer) : answer);
      },
    );
    socket.on("data", (bytes) => reader.add(bytes, false));
  }

  #answer(request: Request): Document {
    const command = deserialize(request.document);
    const ns = `${request.database}.${String(command[request.command])}`;
    const documents = this.#documentsOf(ns);
    switch (request.command.toLowerCase()) {
      case "hello":
      case "ismaster":
        this.hellos.push(command);
        return {
          ...{ ok: 1, helloOk: true, ismaster: true, isWritablePrimary: true, maxWireVersion: 21, minWireVersion: 0 },
          ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: maxSize, maxWriteBatchSize: 100_000 },
          ...{
            setName: "rs",
            hosts: ["127.0.0.1:1"],
            me: "127.0.0.1:1",
            primary: "127.0.0.1:1",
            localTime: new Date(),
          },
          ...(Array.isArray(command["compression"]) && { compression: command["compression"] }),
        };
      case "insert": {
        const outside = request.sequences.get("documents");
        const inserted: unknown =
          outside === undefined ? command["documents"] : documentsIn(outside).map((each) => deserialize(each));
        documents.push(...listOf(inserted));
        return { ok: 1, n: documents.length };
      }
      case "find":
      case "aggregate":
        return { ok: 1, cursor: { id: Long.ZERO, ns, firstBatch: documents } };
      default:
        return { ok: 1 };
    }
  }

  #documentsOf(namespace: string): Document[] {
    const known = this.#collections.get(namespace) ?? [];
    this.#collections.set(namespace, known);
    return known;
  }
}

function listOf(value: unknown): readonly Document[] {
  return Array.isArray(value) ? value.filter((each): each is Document => typeof each === "object") : [];
}

/** The same message by OP_COMPRESSED, with zlib. */
export function compressed(message: Buffer): Buffer {
  const head = readHead(message);
  const body = message.subarray(headSize);
  const before = Buffer.alloc(9);
  before.writeInt32LE(head.operation, 0);
  before.writeInt32LE(body.length, 4);
  before.writeUInt8(2, 8);
  return writeMessage({ ...head, operation: operations.compressed }, before, deflateSync(body));
}
