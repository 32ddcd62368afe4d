import { Buffer } from "node:buffer";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { connectionFields, FieldNames } from "../http/field-names.ts";
import { noFields } from "../http/fields.ts";
import type { ResponseHandler, WebBackend } from "../http/web-backend.ts";
import { RawBackend } from "../testing/raw-backend.ts";

const request = {
  method: "GET",
  scheme: "http",
  authority: "a.example",
  target: "/",
  received: noFields,
  dropped: new FieldNames(connectionFields),
  added: [],
  contentSize: 0,
} as const;

/** What comes of the content of the next answer, in pieces. */
function ask(backend: WebBackend, came: () => void): Promise<readonly Uint8Array[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Uint8Array[]>();
  const pieces: Uint8Array[] = [];
  const taker: ResponseHandler = {
    interim: () => undefined,
    answered: came,
    content(piece) {
      pieces.push(piece);
      came();
      return true;
    },
    ended: () => resolve(pieces),
    failed: reject,
  };
  backend.exchange(request, { key: "", stickTo: "", tried: [] }, taker);
  return promise;
}

test.each([
  ["in chunks", "transfer-encoding: chunked", "5\r\nhello\r\n", "0\r\n\r\n"],
  ["in several chunks at once", "transfer-encoding: chunked", "2\r\nhe\r\n3\r\nllo\r\n", "0\r\n\r\n"],
  ["of a size", "content-length: 51", "hello", "."],
])("pieces of a slow answer, %s, keep no more memory than their own when they are gathered", async (...args) => {
  const [, field, piece, end] = args;
  let came = Promise.withResolvers<void>();
  await using node = await RawBackend.answering(async (_, conn) => {
    conn.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
    for (let i = 0; i < 10; i++) {
      await came.promise;
      came = Promise.withResolvers<void>();
      conn.send(piece);
    }
    await came.promise;
    conn.send(end);
  });
  const stage = await bootWith([]).bootText(
    `stage { http1Backend "app" { .nodes = (["address": "${node.address}"]) } }`,
  );
  await stage.start();
  const backend = stage.find("http1Backend.app")?.part as WebBackend;
  const pieces = await ask(backend, () => void turn().then(() => came.resolve()));
  expect(pieces.slice(0, 10).map((bytes) => [Buffer.from(bytes).toString(), bytes.buffer.byteLength])).toEqual(
    Array.from({ length: 10 }, () => ["hello", 5]),
  );
  await stage.quit(1000);
});
