import { once } from "node:events";
import { Deadlines } from "@hemi/common";
import { expect, test } from "vitest";
import type { ResponseHandler, BackendRequest } from "../http/web-backend.ts";
import { Node } from "../backend/node.ts";
import { connectionFields, FieldNames } from "../http/field-names.ts";
import { noFields } from "../http/fields.ts";
import { Http2NodeExchan } from "./node-exchan.ts";
import { Http2Pool } from "./node-pool.ts";
import type { Http2NodeSettings } from "./node-props.ts";
import { frame } from "../testing/frame-client.ts";
import { FrameNode } from "../testing/frame-node.ts";
import { frameFlag, frameType, settingId } from "./frames.ts";

const settings: Http2NodeSettings = {
  dialTimeout: 5000,
  writeTimeout: 5000,
  readTimeout: 5000,
  aliveTimeout: 5000,
  queueTimeout: 5000,
  failStatuses: [],
  maxHeadSize: 32_768,
  maxFields: 200,
  maxInterims: 20,
  http2MaxConns: 1,
  http2MaxStreams: 100,
  http2StreamWindow: 65_536,
  http2MaxStreamWindow: 65_536,
  pingInterval: 0,
  pingTimeout: 5000,
  http2MaxContinuations: 8,
  http2MaxIdleFrames: 10_000,
  http2FloodRecovery: 10_000,
};

const request: BackendRequest = {
  method: "GET",
  scheme: "http",
  authority: "a.example",
  target: "/",
  received: noFields,
  dropped: new FieldNames(connectionFields),
  added: [],
  contentSize: 0,
};

const nobody = { leave() {}, judge() {}, depart() {}, forget() {} };

/** A node of a backend, with a pool of its own, asked by hand. */
class AskedNode implements Disposable {
  readonly #node: Node<Http2Pool>;
  readonly #deadlines = new Deadlines();

  constructor({ address }: FrameNode) {
    const [host = "", port = ""] = address.split(":");
    const spec = { address: { host, port: Number(port) }, hostname: host, weight: 1, keepConns: 8, isBackup: false };
    const makeDeadline = (onExpired: () => void) => this.#deadlines.add(onExpired);
    const makePool = () => new Http2Pool(spec, { settings, tls: undefined, makeDeadline });
    this.#node = new Node<Http2Pool>(
      spec,
      makePool,
      () => 0,
      () => 0,
    );
  }

  get pool(): Http2Pool {
    return this.#node.pool;
  }

  /** How it ends: a status, or why it failed. `began`: the head has come, and more follows. */
  ask(began: () => void = () => undefined): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const taker: ResponseHandler = {
      interim() {},
      answered({ status }, whole) {
        if (whole === undefined) began();
        else resolve(String(status));
      },
      content: () => true,
      ended: () => resolve("ended"),
      failed: ({ message }) => resolve(message),
    };
    new Http2NodeExchan(request, { key: "", stickTo: "", tried: [] }, taker, nobody).entered(this.#node);
    return promise;
  }

  [Symbol.dispose](): void {
    this.pool.destroy();
    this.#deadlines.close();
  }
}

test("a pool that is destroyed fails those who wait, and dials for nobody any more", async () => {
  await using node = await FrameNode.listen(
    async (conn, index) => {
      const { id } = await conn.head();
      if (index > 0) conn.answer(id, {}, "");
    },
    { [settingId.maxConcurrentStreams]: 1 },
  );
  using asked = new AskedNode(node);
  const first = asked.ask();
  await expect.poll(() => node.conns.length).toBe(1);
  // Before its settings have come, the connection would take both.
  await node.conns[0]?.roundTrip();
  const second = asked.ask();
  asked.pool.destroy();
  expect(await second).toContain("shuts down");
  expect(await first).toContain("the connection broke");
  expect(await asked.ask()).toContain("shuts down");
  expect(node.conns.length).toBe(1);
});

test("a connection that is being broken off takes no other request", async () => {
  await using node = await FrameNode.listen(async (conn, index) => {
    const { id } = await conn.head();
    if (index > 0) return void conn.answer(id, {}, "");
    const head = frame(frameType.headers, frameFlag.endHeaders, id, conn.block({ ":status": "200" }));
    conn.send(head, frame(frameType.data, 0, 0, "on no stream"));
  });
  using asked = new AskedNode(node);
  const { promise: second, resolve } = Promise.withResolvers<string>();
  const first = asked.ask(() => void asked.ask().then(resolve));
  expect(await first).toContain("DATA came on no stream");
  expect(await second).toBe("200");
  expect(node.conns.length).toBe(2);
  const [conn] = node.conns;
  if (conn !== undefined && !conn.raw.socket.closed) await once(conn.raw.socket, "close");
});
