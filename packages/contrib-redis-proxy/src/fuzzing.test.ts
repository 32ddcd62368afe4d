// redisProxy between clients and nodes that send anything, in pieces of any size.

import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ValueScanner } from "./resp/value-scanner.ts";
import { fakeNode, proxy } from "./testing/proxied.ts";

/** Answers each request with what stands in it: a good one, whatever it is asked. */
function echoing() {
  const scanners = new Map<Socket, ValueScanner>();
  return fakeNode((received, socket) => {
    let scanner = scanners.get(socket);
    if (scanner === undefined) {
      scanner = new ValueScanner(
        () => 1_000_000,
        (bytes, start, end) => socket.write(`$${end - start}\r\n${bytes.toString("latin1", start, end)}\r\n`, "latin1"),
      );
      scanners.set(socket, scanner);
    }
    scanner.add(Buffer.from(received, "latin1"), false);
  });
}

const requests = [
  "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
  "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$4\r\n\r\n\0x\r\n",
  "GET line\r\n",
  "*1\r\n$4\r\nPING\r\n",
  "*1\r\n$5\r\nMULTI\r\n",
  "*2\r\n$4\r\nINCR\r\n$1\r\nc\r\n",
  "*1\r\n$4\r\nEXEC\r\n",
  "*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n",
  "*3\r\n$5\r\nBLPOP\r\n$1\r\nd\r\n$1\r\n0\r\n",
].join("");

/** Valid bytes of which some are others. */
const damaged = (whole: string) =>
  fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }).map((changes) => {
    const bytes = Buffer.from(whole, "latin1");
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes.toString("latin1");
  });

const anything = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

test("requests that are split at every byte get the same replies", async () => {
  await using node = await echoing();
  await using site = await proxy(node.port);
  const whole = await site.talk(requests);
  expect(whole).toContain("BLPOP");
  const socket = connect({ port: site.port, host: "127.0.0.1", noDelay: true });
  const replies = text(socket);
  for (const byte of Buffer.from(requests, "latin1")) socket.write(Buffer.of(byte));
  socket.end();
  expect(Buffer.from(await replies, "utf8").toString("latin1")).toBe(whole);
});

test("no bytes of a client do anything else than end its connection", async () => {
  await using node = await echoing();
  await using site = await proxy(node.port, ".idleTimeout = 300ms");
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, damaged(requests)), async (bytes) => {
      await site.talk(bytes);
    }),
    { numRuns: 60 },
  );
  expect(await site.talk("PING\r\n")).toBe("+PONG\r\n");
});

test("no bytes of a node do anything else than end its connection, and its requests have errors", async () => {
  let answer = "";
  await using node = await fakeNode((_, socket) => void socket.end(answer, "latin1"));
  await using site = await proxy(node.port);
  const replies = "*2\r\n$1\r\na\r\n:1\r\n%1\r\n+a\r\n_\r\n>1\r\n+x\r\n|1\r\n+a\r\n#t\r\n$-1\r\n-ERR no\r\n";
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, damaged(replies)), async (bytes) => {
      answer = bytes;
      expect(await site.talk("HELLO 3\r\nGET a\r\nGET b\r\n")).not.toBe("");
    }),
    { numRuns: 60 },
  );
  answer = "$1\r\n1\r\n";
  expect(await site.talk("GET a\r\n")).toBe("$1\r\n1\r\n");
});
