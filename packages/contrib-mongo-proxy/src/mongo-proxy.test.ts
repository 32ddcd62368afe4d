// mongoProxy between a server that is written from the specification, and clients: the driver for Node.js, and raw ones
// that lie or break off.

import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith, MemorySink, Metrics, openErrorLog, type RouterPart } from "@hemi/internal";
import { deserialize, type Document, Long, serialize, UUID } from "bson";
import fc from "fast-check";
import { MongoClient, type MongoClientOptions } from "mongodb";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { headSize, MessageReader, operations, readHead, writeMessage } from "./protocol/messages.ts";
import { compressed, FakeServer } from "./testing/fake-server.ts";

async function proxy(
  { port }: { readonly port: number },
  props = "",
  other = 1,
  { router = "", metrics }: { readonly router?: string; readonly metrics?: Metrics } = {},
) {
  const sink = new MemorySink();
  const config = (props: string) => `stage {
    tcpsBackend "main" { .nodes = (["address": "127.0.0.1:${port}"]) .maxFails = 0 }
    tcpsBackend "other" { .nodes = (["address": "127.0.0.1:${other}"]) .maxFails = 0 }
    tcpsRouter "door" { .address = "127.0.0.1:0" ${router} case { mongoProxy { .toBackend = "main" ${props} } } }
  }`;
  const stage = await bootWith([contrib]).bootText(config(props), {
    log: openErrorLog({ sink }),
    ...(metrics !== undefined && { metrics }),
  });
  await stage.start();
  const { listensOn: [address = ""] = [] }: RouterPart = stage.find("tcpsRouter.door")?.part ?? {};
  return {
    stage,
    log: sink.lines,
    /** With other props of the proxy. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    client: () => new RawClient(Number(address.split(":")[1])),
    driver: (options: MongoClientOptions = {}) =>
      new MongoClient(`mongodb://${address}/`, { serverSelectionTimeoutMS: 5000, ...options }),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

/** Sends what it is told. */
class RawClient {
  readonly socket;
  readonly received: Buffer[] = [];
  readonly #closed: Promise<unknown>;
  #taken = 0;
  #lastId = 0;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true }).on("error", () => undefined);
    const reader = new MessageReader(
      () => 100_000_000,
      (message) => this.received.push(message),
    );
    this.socket.on("data", (bytes) => reader.add(bytes, false));
    this.#closed = once(this.socket, "close");
  }

  send(bytes: Buffer, size = bytes.length): void {
    for (let at = 0; at < bytes.length; at += size) this.socket.write(bytes.subarray(at, at + size));
  }

  message(command: Document): Buffer {
    const head = { requestId: ++this.#lastId, responseTo: 0, operation: operations.message };
    return writeMessage(head, Buffer.alloc(5), serialize(command));
  }

  /** The next reply's document. */
  async next(): Promise<Document> {
    const at = this.#taken++;
    while (this.received.length <= at) await once(this.socket, "data");
    const message = this.received[at] ?? Buffer.alloc(0);
    const before = readHead(message).operation === operations.reply ? 20 : 5;
    return deserialize(message.subarray(headSize + before));
  }

  async ask(command: Document): Promise<Document> {
    this.send(this.message(command));
    return await this.next();
  }

  async closed(): Promise<void> {
    await this.#closed;
  }
}

test("the driver inserts and finds, and takes the proxy for a single server", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  for (const compressors of [undefined, ["snappy", "zlib"] as const]) {
    const client = site.driver(compressors && { compressors: [...compressors] });
    const goods = client.db("shop").collection<{ name: string }>("goods");
    await goods.insertMany([{ name: "tea" }, { name: "milk" }]);
    expect((await goods.find().toArray()).map(({ name }) => name).slice(0, 2)).toEqual(["tea", "milk"]);
    await client.close();
  }
  expect(server.hellos.some(({ compression }) => String(compression) === "zlib")).toBe(true);
  expect(server.hellos.some(({ compression }) => String(compression).includes("snappy"))).toBe(false);
});

test("an idleTimeout that a reload makes shorter holds for clients that are idle", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  const client = site.client();
  await client.ask({ ping: 1, $db: "shop" });
  await site.reload(".idleTimeout = 1ms");
  await client.closed();
});

test("each database is at its backend, and only reads go to one that is to be read", async () => {
  await using main = await FakeServer.listen();
  await using archive = await FakeServer.listen();
  const databases = '.databases = (["name": "archive", "toBackend": "other", "readOnly": true])';
  await using site = await proxy(main, databases, archive.port);
  const client = site.driver();
  await client.db("shop").collection("a").insertOne({ x: 1 });
  await client.db("archive").collection("a").find().toArray();
  await expect(client.db("archive").collection("a").insertOne({ x: 1 })).rejects.toMatchObject({ code: 13 });
  const copy = client
    .db("archive")
    .collection("a")
    .aggregate([{ $out: "b" }]);
  await expect(copy.toArray()).rejects.toMatchObject({ code: 13 });
  await expect(
    client
      .db("shop")
      .collection("a")
      .aggregate([{ $out: { db: "archive", coll: "b" } }])
      .toArray(),
  )
    .rejects //
    .toMatchObject({ code: 13 });
  await client.close();
  const seen = (server: FakeServer) => server.commands.filter(({ database }) => database !== "admin");
  expect(seen(main)).toEqual([{ command: "insert", database: "shop" }]);
  expect(seen(archive)).toEqual([{ command: "find", database: "archive" }]);
});

test("no command goes round the limits of databases", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, '.databases = (["name": "shop"]) .otherDatabases = false');
  const client = site.client();
  for (const command of [
    { find: "users", $db: "admin" },
    { renameCollection: "shop.a", to: "stock.a", $db: "admin" },
    { bulkWrite: 1, ops: [], nsInfo: [{ ns: "shop.a" }, { ns: "stock.a" }], $db: "admin" },
    { aggregate: "a", pipeline: [{ $merge: { into: { db: "stock", coll: "a" } } }], $db: "shop" },
    { mapReduce: "a", out: { replace: "a", db: "stock" }, $db: "shop" },
    { applyOps: [], $db: "shop" },
    { shutdown: 1, $db: "admin" },
  ]) {
    expect(await client.ask(command)).toMatchObject({ ok: 0, code: 13, codeName: "Unauthorized" });
  }
  expect(server.commands).toEqual([]);
  expect(await client.ask({ ping: 1, $db: "admin" })).toMatchObject({ ok: 1 });
  expect(await client.ask({ renameCollection: "shop.a", to: "shop.b", $db: "admin" })).toMatchObject({ ok: 1 });
  client.socket.destroy();
});

test("a session is split at every byte, compressed or not", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  const client = site.client();
  client.send(client.message({ hello: 1, $db: "admin" }), 1);
  const { setName, hosts, ok } = await client.next();
  expect({ setName, hosts, ok }).toEqual({ ok: 1 });
  client.send(compressed(client.message({ ping: 1, $db: "shop" })), 1);
  await expect.poll(() => client.received.length).toBe(2);
  expect(server.commands.at(-1)).toEqual({ command: "ping", database: "shop" });
  client.socket.destroy();
});

test("the first message may be one of OP_QUERY, others may not", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  const client = site.client();
  for (const command of ["isMaster", "drop"]) {
    const rest = Buffer.concat([Buffer.alloc(4), Buffer.from("admin.$cmd\0"), Buffer.alloc(4), Buffer.alloc(4, 255)]);
    const head = { requestId: 1, responseTo: 0, operation: operations.query };
    client.send(writeMessage(head, rest, serialize({ [command]: 1 })));
  }
  expect(await client.next()).toMatchObject({ ok: 0, code: 20 });
  expect(await client.next()).toMatchObject({ ok: 1, ismaster: true });
  client.socket.destroy();
});

test("messages that lie close the connection, with an error of MongoDB", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, ".maxMessageSize = 64K");
  const ping = serialize({ ping: 1, $db: "shop" });
  const head = { requestId: 1, responseTo: 0, operation: operations.message };
  const twice = writeMessage(head, Buffer.alloc(5), ping, Buffer.of(0), ping);
  const noDatabase = writeMessage(head, Buffer.alloc(5), serialize({ ping: 1 }));
  const longer = Buffer.from(ping);
  longer.writeInt32LE(1000, 0);
  const bomb = compressed(writeMessage(head, Buffer.alloc(5), serialize({ ping: "x".repeat(100_000), $db: "a" })));
  for (const message of [
    Buffer.from([255, 255, 255, 127, ...Buffer.alloc(12)]),
    Buffer.from([3, 0, 0, 0, ...Buffer.alloc(12)]),
    writeMessage(head, Buffer.from([8, 0, 0, 0, 0]), ping),
    writeMessage(head, Buffer.alloc(5), longer),
    writeMessage({ ...head, operation: 2006 }, ping),
    twice,
    noDatabase,
    bomb,
  ]) {
    const client = site.client();
    client.send(message);
    expect(await client.next()).toMatchObject({ ok: 0, code: 9 });
    await client.closed();
  }
  expect(server.commands).toEqual([]);
});

test("what a stranger sends compressed stays small, until a server has worked for it", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  const large = (client: RawClient): Buffer =>
    compressed(client.message({ insert: "a", documents: [{ text: "x".repeat(2_000_000) }], $db: "shop" }));
  const stranger = site.client();
  await stranger.ask({ ping: 1, $db: "shop" });
  // Servers run it without a login.
  await stranger.ask({ listCommands: 1, $db: "shop" });
  stranger.send(large(stranger));
  expect(await stranger.next()).toMatchObject({ ok: 0, code: 9 });
  await stranger.closed();
  expect(server.commands.map(({ command }) => command)).toEqual(["ping", "listCommands"]);
  const known = site.client();
  known.send(compressed(known.message({ find: "a", $db: "shop" })));
  await expect.poll(() => known.received.length).toBe(1);
  known.send(large(known));
  await expect.poll(() => known.received.length).toBe(2);
  expect(server.commands.at(-1)).toEqual({ command: "insert", database: "shop" });
  known.socket.destroy();
});

test("a transaction is ended where it is, whichever connection of its client says so", async () => {
  await using main = await FakeServer.listen();
  await using other = await FakeServer.listen();
  await using site = await proxy(main, '.databases = (["name": "archive", "toBackend": "other"])', other.port);
  const [first, second] = [site.client(), site.client()];
  const lsid = { id: new UUID() };
  const inTransaction = { lsid, txnNumber: Long.ONE, autocommit: false };
  await first.ask({ insert: "a", documents: [{}], ...inTransaction, startTransaction: true, $db: "archive" });
  // Drivers say it again if the reply is lost.
  for (let i = 0; i < 2; i++) await second.ask({ commitTransaction: 1, ...inTransaction, $db: "admin" });
  await second.ask({ commitTransaction: 1, lsid: { id: new UUID() }, txnNumber: Long.ONE, $db: "admin" });
  const seen = (server: FakeServer) => server.commands.map(({ command }) => command);
  expect(seen(other)).toEqual(["insert", "commitTransaction", "commitTransaction"]);
  expect(seen(main)).toEqual(["commitTransaction"]);
  for (const client of [first, second]) client.socket.destroy();
});

test("documents that no client means to send cost nobody else anything", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, '.databases = (["name": "shop"]) .otherDatabases = false');
  for (const hello of [
    { hello: 1, client: { _bsontype$: "X" }, $db: "admin" },
    { hello: 1, compression: [{ toString: 1, valueOf: 1 }], $db: "admin" },
  ]) {
    const client = site.client();
    const bytes = client.message(hello);
    const at = bytes.indexOf("_bsontype$");
    // The serializer itself does not write this name.
    client.send(at < 0 ? bytes : renamed(bytes, at));
    expect(await client.next()).toMatchObject({ ok: 1 });
    client.socket.destroy();
  }
  const long = site.client();
  expect(await long.ask({ find: "a", $db: "x".repeat(20_000_000) })).toMatchObject({ ok: 0, code: 13 });
  long.socket.destroy();
  const head = { requestId: 1, responseTo: 0, operation: operations.message };
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`field${i}`, null]));
  const namespaces = Buffer.alloc(4 + 7 + 2000 * 5);
  namespaces.writeInt32LE(namespaces.length, 0);
  namespaces.write("nsInfo\0", 4);
  for (let at = 11; at < namespaces.length; at += 5) namespaces.writeInt32LE(5, at);
  for (const message of [
    writeMessage(head, Buffer.alloc(5), serialize({ ping: 1, ...many, $db: "shop" })),
    writeMessage(head, Buffer.alloc(5), serialize({ bulkWrite: 1, $db: "admin" }), Buffer.of(1), namespaces),
  ]) {
    const client = site.client();
    client.send(message);
    expect(await client.next()).toMatchObject({ ok: 0, code: 9 });
    await client.closed();
  }
});

/** Without the `$` at the end of the name at `at`. */
function renamed(message: Buffer, at: number): Buffer {
  const bytes = Buffer.concat([message.subarray(0, at + 9), message.subarray(at + 10)]);
  bytes.writeInt32LE(bytes.length, 0);
  bytes.writeInt32LE(bytes.length - headSize - 5, headSize + 5);
  const client = bytes.lastIndexOf("client\0", at) + 7;
  bytes.writeInt32LE(bytes.readInt32LE(client) - 1, client);
  return bytes;
}

test("a client that reads its replies late is read again", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, ".otherDatabases = false");
  const client = site.client();
  client.socket.pause();
  const requests = Buffer.concat(Array<Buffer>(100).fill(client.message({ find: "a", $db: "x".repeat(900) })));
  for (let i = 0; i < 100; i++) client.socket.write(requests);
  // What fits into no buffer of the system is still here.
  await expect.poll(() => client.socket.writableLength).toBeGreaterThan(0);
  client.socket.resume();
  await expect.poll(() => client.received.length).toBe(10_000);
  client.socket.destroy();
});

test("a server that is lost, or cannot be reached, is an error of MongoDB for each request", async () => {
  await using server = await FakeServer.listen();
  server.instead = (_, socket) => {
    socket.destroy();
    return undefined;
  };
  await using site = await proxy(server, '.databases = (["name": "gone", "toBackend": "other"])');
  for (const database of ["shop", "gone"]) {
    const client = site.client();
    client.send(
      Buffer.concat([client.message({ hang: 1, $db: database }), client.message({ hang: 2, $db: database })]),
    );
    for (let i = 0; i < 2; i++) expect(await client.next()).toMatchObject({ ok: 0, code: 6 });
    await client.closed();
  }
});

test("no bytes of a client or a server do anything else than end the connection", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  let answer: Buffer | undefined;
  server.instead = (_, socket) => {
    if (answer !== undefined) socket.end(answer);
    return answer && Buffer.alloc(0);
  };
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 60 }), async (isServer, bytes) => {
      answer = isServer ? Buffer.from(bytes) : undefined;
      const client = site.client();
      if (isServer) client.send(client.message({ ping: 1, $db: "shop" }));
      else client.socket.end(Buffer.from(bytes));
      await client.closed();
    }),
    { numRuns: 60 },
  );
  server.instead = undefined;
  const client = site.client();
  expect(await client.ask({ ping: 1, $db: "shop" })).toMatchObject({ ok: 1 });
  client.socket.destroy();
});

test("the log has a line for each client with its counts, and neither log nor metrics have a document", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-mongo-"));
  const file = join(folder.path, "log");
  const metrics = new Metrics();
  await using server = await FakeServer.listen();
  {
    const router = `.connLog = ["file": "${file}", "format": "json"]`;
    await using site = await proxy(server, '.refuse = ("drop")', 1, { router, metrics });
    const client = site.client();
    await client.ask({ saslStart: 1, mechanism: "PLAIN", payload: "geheim", $db: "shop" });
    await client.ask({ insert: "a", documents: [{ name: "a-secret" }], $db: "shop" });
    await client.ask({ drop: "a", $db: "shop" });
    client.socket.end();
    await client.closed();
    expect(site.log.join("\n")).not.toMatch(/geheim|secret/);
  }
  const line = await readFile(file, "utf8");
  expect(JSON.parse(line)).toMatchObject({ notes: { commands: 3, refused: 1 }, endReason: "complete" });
  expect(line).toContain('"totalTime":');
  expect(`${line}${JSON.stringify(metrics.report())}`).not.toMatch(/geheim|secret|insert/);
  const events = metrics.report().filter(({ group }) => group === "event");
  expect(new Set(events.map(({ labels }) => labels[2]))).toEqual(new Set(["command", "refused", "serverLost"]));
});

test("hemi explain tells the databases, and a name twice is a mistake of the configuration", async () => {
  await using site = await proxy({ port: 1 }, '.databases = (["name": "a", "toBackend": "other", "readOnly": true])');
  const walk = await site.stage.explainConn({ protocol: "tcp" });
  expect(JSON.stringify(walk)).toContain("the database a is at tcpsBackend.other, to be read only");
  await expect(proxy({ port: 1 }, '.databases = (["name": "a"], ["name": "a"])')).rejects.toThrow(
    "a stands here twice",
  );
});
