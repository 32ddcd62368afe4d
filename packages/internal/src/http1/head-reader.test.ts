import fc from "fast-check";
import { expect, test } from "vitest";
import { Input } from "../net/input.ts";
import { BadHead } from "./bad-head.ts";
import { Http1RequestHead, readHttp1RequestHead, type RequestHeadLimits } from "./head.ts";
import { HeadReader } from "./head-reader.ts";

const limits: RequestHeadLimits = { maxHeadSize: 400, maxTargetSize: 100, maxFields: 6, rawUTF8InTargets: true };

/** All that a head says. */
function told(head: Http1RequestHead | BadHead): unknown {
  if (head instanceof BadHead) return head.reason;
  const { version, method, target, authority, contentSize, upgrades, scheme, targetScheme, size } = head;
  const { wantsClose, wantsKeepAlive, expectsContinue, isForProxy, pathNeedsCare, hasRawTarget } = head;
  return {
    ...{ version, method, target, authority, contentSize, upgrades, scheme, targetScheme, size },
    ...{ wantsClose, wantsKeepAlive, expectsContinue, isForProxy, pathNeedsCare, hasRawTarget },
    fields: [...head.fields],
  };
}

/** Each head read by itself, up to the first that is refused. */
function readAlone(bytes: Buffer): unknown[] {
  const all: unknown[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = readHttp1RequestHead(bytes, at, bytes.length, limits);
    if (head === undefined) break;
    all.push(told(head));
    if (head instanceof BadHead) break;
    at = head.end + (head.contentSize ?? 0);
  }
  return all;
}

/** The same by a reader, of pieces that lie in a buffer that is used again and again. */
function readInPieces(bytes: Buffer, ends: readonly number[]): unknown[] {
  const input = new Input();
  const reader = new HeadReader(input);
  const shared = Buffer.alloc(bytes.length);
  const heads: (Http1RequestHead | BadHead)[] = [];
  let skipped = 0;
  let from = 0;
  for (const next of [...ends, bytes.length]) {
    const end = Math.min(next, bytes.length);
    if (end <= from) continue;
    shared.fill(0x41);
    bytes.copy(shared, 0, from, end);
    input.add(shared.subarray(0, end - from), true);
    from = end;
    while (input.size > 0) {
      const part = Math.min(skipped, input.size);
      input.at += part;
      skipped -= part;
      if (skipped > 0 || input.size === 0) break;
      const head = reader.next(false, limits);
      if (head === undefined) break;
      heads.push(head);
      if (head instanceof BadHead) return heads.map(told);
      skipped = head.contentSize ?? 0;
    }
    input.own();
  }
  shared.fill(0x42);
  return heads.map(told);
}

const line = fc.constantFrom(
  ..."GET / HTTP/1.1|GET /a HTTP/1.1|GET / HTTP/1.0|GET /a HTTP/1.0|HEAD / HTTP/1.1|GET http://b/ HTTP/1.1".split("|"),
  ..."GET http://c/ HTTP/1.1|GET http://b/ HTTP/1.0|OPTIONS * HTTP/1.1|CONNECT b:1 HTTP/1.1|CONNECT b:1 HTTP/1.0".split(
    "|",
  ),
  ..."GET / HTTP/1.2|GET / HTTP/1.9|GET / HTTP/2.0|\r\nGET / HTTP/1.1|\r\nGET /a HTTP/1.1|GET /\xe9 HTTP/1.1".split(
    "|",
  ),
  ..."GET https://b HTTP/1.1|OPTIONS http://b HTTP/1.1|GET //%2e HTTP/1.1".split("|"),
);
const fields = fc.constantFrom(
  ..."|host: a|host: z|host:|Host: a|host: a\r\nx: 1|host: a\r\nx: 2|x: 1\r\nhost: a|host: a\r\nhost: a|host: /".split(
    "|",
  ),
  ..."host: a\r\nconnection: close|host: a\r\nconnection: keep-alive|connection: keep-alive".split("|"),
  ..."host: a\r\nconnection: upgrade\r\nupgrade: q|host: a\r\nexpect: 100-continue|host: a\r\nexpect: 200-ok".split(
    "|",
  ),
  ..."host: a\r\ncontent-length: 3|host: a\r\ncontent-length: 0|host: a\r\ntransfer-encoding: chunked".split("|"),
  ..."content-length: 3|host: a\r\na: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5|host: a\r\na:1\r\nb:2\r\nc:3\r\nd:4\r\ne:5\r\nf:6".split(
    "|",
  ),
  `host: a\r\nx: ${"1".repeat(300)}`,
  `host: a\r\nx: ${"1".repeat(380)}`,
  `host: a\r\nx: ${"1".repeat(299)}2`,
);
const message = fc.tuple(line, fields).map(([line, fields]) => {
  const head = `${line}\r\n${fields === "" ? "" : fields + "\r\n"}\r\n`;
  return head + (fields.includes("content-length: 3") ? "abc" : "");
});
const stream = fc
  .array(fc.tuple(message, fc.integer({ min: 1, max: 3 })), { maxLength: 6 })
  .map((runs) => Buffer.from(runs.flatMap(([text, times]) => Array<string>(times).fill(text)).join(""), "latin1"));

test("heads of one connection are read as each would be by itself, however they come", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat({ max: 1500 }), { maxLength: 12 }), (bytes, ends) => {
      expect(
        readInPieces(
          bytes,
          ends.toSorted((a, b) => a - b),
        ),
      ).toEqual(readAlone(bytes));
    }),
    { numRuns: 3000, seed: 1 },
  );
});

test.each<[Partial<RequestHeadLimits>, string]>([
  [{ maxHeadSize: 50 }, "the head is larger than allowed"],
  [{ maxTargetSize: 10 }, "the request target is longer than allowed"],
  [{ maxFields: 1 }, "there are more field lines than allowed"],
  [{ rawUTF8InTargets: false }, "the request target holds a byte above ASCII as it is: see rawUTF8InTargets"],
])("a head that comes again is under the limits of now: %j", (changed, reason) => {
  const input = new Input();
  const reader = new HeadReader(input);
  const next = (line: string, limitsNow = limits) => {
    input.add(Buffer.from(`${line} HTTP/1.1\r\nhost: a.example\r\nx-a: b\r\n\r\n`, "latin1"), false);
    return reader.next(false, limitsNow);
  };
  const line = "GET http://a.example/\xe9";
  const first = next(line);
  expect(next(line)).toBe(first);
  expect(next(line, { ...limits, ...changed })).toMatchObject({ reason });
});

test("fields that come again behind another request line are under the limit of now", () => {
  const input = new Input();
  const reader = new HeadReader(input);
  const next = (path: string, maxFields: number) => {
    input.add(Buffer.from(`GET ${path} HTTP/1.1\r\nhost: a.example\r\nx-a: b\r\n\r\n`), false);
    return reader.next(false, { ...limits, maxFields });
  };
  const [first, second] = [next("/1", 2), next("/2", 2)];
  if (!(first instanceof Http1RequestHead && second instanceof Http1RequestHead)) throw new Error("refused");
  expect(second.fields).toBe(first.fields);
  expect(next("/3", 1)).toMatchObject({ status: 431 });
});
