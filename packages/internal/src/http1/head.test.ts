import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crlf } from "../testing/raw-client.ts";
import { FieldNames } from "../http/field-names.ts";
import { BadHead } from "./bad-head.ts";
import { Http1RequestHead, readHttp1RequestHead, type RequestHeadLimits } from "./head.ts";

const limits: RequestHeadLimits = { maxHeadSize: 2048, maxTargetSize: 100, maxFields: 5 };

function read(text: string, given = limits): Http1RequestHead | BadHead | undefined {
  const bytes = Buffer.from(text, "latin1");
  return readHttp1RequestHead(bytes, 0, bytes.length, given);
}

function good(text: string): Http1RequestHead {
  const head = read(crlf(text));
  if (head instanceof Http1RequestHead) return head;
  throw new Error(`not taken: ${head?.reason ?? "incomplete"}`);
}

/** The status of a refusal, with its reason; or what else came of the text. */
function refusalOf(text: string, given = limits): string {
  const head = read(text, given);
  return head instanceof BadHead ? `${head.status} ${head.reason}` : head === undefined ? "incomplete" : "taken";
}

describe("request lines", () => {
  test.each([
    ["GET / HTTP/1.1", { method: "GET", target: "/", authority: "h.example", scheme: "http", version: "1.1" }],
    ["GET /a?b=c&d HTTP/1.1", { target: "/a?b=c&d", pathNeedsCare: false }],
    ["PROPFIND /a HTTP/1.1", { method: "PROPFIND" }],
    ["get / HTTP/1.1", { method: "get" }],
    ["M!#$%&'*+-.^_`|~9 / HTTP/1.1", { method: "M!#$%&'*+-.^_`|~9" }],
    ["GET / HTTP/1.0", { version: "1.0" }],
    ["GET / HTTP/1.9", { version: "1.1" }],
    ["GET http://a.example/b?c HTTP/1.1", { target: "/b?c", authority: "a.example", targetScheme: "http" }],
    ["GET HTTPS://a.example:8443 HTTP/1.1", { target: "/", scheme: "http", targetScheme: "https" }],
    ["GET http://a.example?b HTTP/1.1", { target: "/?b", authority: "a.example" }],
    ["CONNECT a.example:443 HTTP/1.1", { target: "", authority: "a.example:443", wantsClose: true }],
    ["CONNECT [::1]:443 HTTP/1.1", { target: "", authority: "[::1]:443" }],
    ["OPTIONS * HTTP/1.1", { target: "*", authority: "h.example" }],
    ["OPTIONS /a HTTP/1.1", { target: "/a" }],
    ["OPTIONS http://a.example HTTP/1.1", { target: "*", authority: "a.example" }],
    ["OPTIONS http://a.example/ HTTP/1.1", { target: "/" }],
    ["GET /%2e HTTP/1.1", { pathNeedsCare: true }],
    ["GET /a/../b HTTP/1.1", { pathNeedsCare: true }],
    ["GET /a\\b HTTP/1.1", { pathNeedsCare: true }],
    ["GET /a//b HTTP/1.1", { pathNeedsCare: true }],
    ["GET /a/.b HTTP/1.1", { pathNeedsCare: true }],
    ["GET /a.b/c. HTTP/1.1", { pathNeedsCare: false, isForProxy: false }],
    ["GET http://a.example/ HTTP/1.1", { isForProxy: true }],
    ["GET /a?b/../%00 HTTP/1.1", { pathNeedsCare: false }],
    ["\nGET / HTTP/1.1", { target: "/" }],
  ])("%j is read", (line, expected) => {
    expect(good(`${line}\nhost: h.example\n\n`)).toMatchObject(expected);
  });

  test.each([
    ["GET / HTTP/1.1", "upgrade", "", ["a", "b"]],
    ["GET / HTTP/1.0", "upgrade", "", []],
    ["GET / HTTP/1.1", "close", "", []],
    ["GET / HTTP/1.1", "upgrade", "content-length: 1\n", []],
    ["GET / HTTP/1.1", "upgrade", "transfer-encoding: chunked\n", []],
  ])("%j with connection: %s and %j may upgrade to %j", (line, connection, framing, upgrades) => {
    const text = `${line}\nhost: a\nconnection: ${connection}\n${framing}upgrade: A\nupgrade: b\n\n`;
    expect(good(text).upgrades).toEqual(upgrades);
  });

  test("a CR of its own is refused before and within a head", () => {
    for (const text of ["\rGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\rx"])
      expect(refusalOf(text)).toMatch(/^400 .*CR/);
    expect([refusalOf("\r"), refusalOf("\r\n")]).toEqual(["incomplete", "incomplete"]);
  });

  test("raw UTF-8 in the target is percent-encoded, where that is allowed", () => {
    const raw = { ...limits, rawUTF8InTargets: true };
    const head = read("GET /\xc3\xbcber?q=\xc3\xa9 HTTP/1.1\r\nhost: h.example\r\n\r\n", raw);
    expect(head).toMatchObject({ target: "/%C3%BCber?q=%C3%A9", pathNeedsCare: true });
    expect(refusalOf("GET /\x7f HTTP/1.1\r\nhost: a\r\n\r\n", raw)).toMatch(/^400 the request target/);
  });

  test.each([
    [" / HTTP/1.1", /^400 the method/],
    ["G@T / HTTP/1.1", /^400 the method/],
    ["GET\t/ HTTP/1.1", /^400 the method/],
    ["\0GET / HTTP/1.1", /^400 the method/],
    [`${"G".repeat(33)} / HTTP/1.1`, /^400 the method/],
    ["\n\nGET / HTTP/1.1", /^400 the method/],
    ["\n GET / HTTP/1.1", /^400 the method/],
    ["GET  / HTTP/1.1", /^400 the request target/],
    ["GET HTTP/1.1", /^400 the request target holds a byte/],
    ["GET a/b HTTP/1.1", /^400 the request target has a form/],
    ["GET * HTTP/1.1", /^400 the request target has a form/],
    ["OPTIONS *a HTTP/1.1", /^400 the request target has a form/],
    ["GET ftp://a.example/ HTTP/1.1", /^400 the request target has a form/],
    ["GET http:///a HTTP/1.1", /^400 the request target has a form/],
    ["CONNECT http://a.example/ HTTP/1.1", /^400 the request target has a form/],
    ["GET /a#b HTTP/1.1", /^400 the request target holds a fragment/],
    ["GET /a?b#c HTTP/1.1", /^400 the request target holds a fragment/],
    ["GET /\x7f HTTP/1.1", /^400 the request target holds a byte/],
    ["GET /\xe4 HTTP/1.1", /^400 the request target holds a byte above ASCII as it is: see rawUTF8InTargets/],
    ["GET /\0 HTTP/1.1", /^400 the request target holds a byte/],
    ["GET /", /^400 the request target holds a byte/],
    ["GET /a b HTTP/1.1", /^400 the request line/],
    ["GET /  HTTP/1.1", /^400 the request line/],
    ["GET / HTTP/1.1 ", /^400 the request line/],
    ["GET / http/1.1", /^400 the request line/],
    ["GET / XTTP/1.1", /^400 the request line/],
    ["GET / HTTP/2.0", /^505/],
    ["GET / HTTP/0.9", /^505/],
    ["GET / HTTP/1.x", /^505/],
    ["PRI * HTTP/2.0", /^400 the request target has a form/],
  ])("%j is refused", (line, expected) => {
    expect(refusalOf(crlf(`${line}\nhost: h.example\n\n`))).toMatch(expected);
  });

  test.each(["GET / HTTP/1.1\nhost: a\r\n\r\n", "GET / HTTP/1.1\rhost: a\r\n\r\n", "\rGET / HTTP/1.1\r\n\r\n"])(
    "%j is refused for its line ends",
    (text) => {
      expect(refusalOf(text)).toMatch(/^400/);
    },
  );
});

describe("fields", () => {
  test("are found without regard to case, in order, without the space around values", () => {
    const head = good("GET / HTTP/1.1\nHost:h.example\nX-A: \t 1 2 \t\nx-a:\nX-B: \xe4\n\n");
    expect([...head.fields]).toEqual([
      ["host", "h.example"],
      ["x-a", "1 2"],
      ["x-a", ""],
      ["x-b", "\xe4"],
    ]);
    expect(head.fields.count).toBe(4);
    expect(head.fields.get("X-a")).toBe("1 2, ");
    expect(head.fields.getAll("x-A")).toEqual(["1 2", ""]);
    expect(head.fields.get("x-c")).toBeUndefined();
    expect(head.fields.has("X-B")).toBe(true);
    expect(head.fields.has("x-")).toBe(false);
    // A name that folds to an ASCII one in Unicode, but is none: K as in kelvin.
    expect(head.fields.has("\u212a")).toBe(false);
  });

  test("lines are cut out anew for each set of names", () => {
    const { fields } = good("GET / HTTP/1.1\nHost: a\nX-A: 1\nX-B:  2\nX-C: 3\n\n");
    const [ab, b] = [new FieldNames(["x-a", "x-b"]), new FieldNames(["host", "x-b"])];
    for (let i = 0; i < 2; i++) {
      expect(fields.linesWithout(ab)).toBe("Host: a\r\nX-C: 3\r\n");
      expect(fields.linesWithout(b)).toBe("X-A: 1\r\nX-C: 3\r\n");
      expect(fields.linesWithout(b)).toBe("X-A: 1\r\nX-C: 3\r\n");
    }
  });

  test("cookies that came as several fields are joined as cookies are", () => {
    expect(good("GET / HTTP/1.1\nhost: a\ncookie: a=1\nCookie: b=2\n\n").fields.get("cookie")).toBe("a=1; b=2");
  });

  test.each([
    ["host: a\nx : 1", /^400 a field line has no name/],
    ["host: a\n: 1", /^400 a field line has no name/],
    ["host: a\nx", /^400 a field line has no name/],
    ["host: a\nx\0y: 1", /^400 a field line has no name/],
    ["host: a\nx@y: 1", /^400 a field line has no name/],
    ["host: a\n folded: 1", /^400 a field line has no name/],
    ["host: a\n\tfolded", /^400 a field line has no name/],
    ["host: a\nx: a\0b", /^400 a field value/],
    ["host: a\nx: a\x7fb", /^400 a field value/],
    ["host: a\nx: a\x1bb", /^400 a field value/],
    ["x: 1", /^400 an HTTP\/1.1 request needs/],
    ["host: ", /^400 an HTTP\/1.1 request needs/],
    ["host: a\nhost: a", /^400 the field host stands twice/],
    ["host: a\nHOST: b", /^400 the field host stands twice/],
    ["a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1", /^431 there are more field lines/],
    [`host: a\nx: ${"x".repeat(2048)}`, /^431 the head/],
  ])("%j are refused", (lines, expected) => {
    expect(refusalOf(crlf(`GET / HTTP/1.1\n${lines}\n\n`))).toMatch(expected);
  });

  test.each(["host: a\n", "host: a\r", "host: a\r\r\n", "host: a\rx: 1\r\n", "host: a\n x\r\n"])(
    "%j is refused for its line end",
    (line) => {
      expect(refusalOf(`GET / HTTP/1.1\r\n${line}x: 1\r\n\r\n`)).toMatch(/^400/);
    },
  );

  test("HTTP/1.0 needs no host", () => {
    expect(good("GET / HTTP/1.0\n\n").authority).toBe("");
    expect(good("GET / HTTP/1.0\nhost:\n\n").authority).toBe("");
  });
});

describe("framing", () => {
  test.each([
    ["", 0],
    ["content-length: 0", 0],
    ["content-length: 0042", 42],
    ["content-length: 9007199254740991", Number.MAX_SAFE_INTEGER],
    ["transfer-encoding: chunked", undefined],
    ["Transfer-Encoding: CHUNKED", undefined],
  ])("%j gives content of %s bytes", (line, size) => {
    expect(good(`POST / HTTP/1.1\nhost: a\n${line === "" ? "" : `${line}\n`}\n`).contentSize).toBe(size);
  });

  test.each([
    ["content-length: 5\ntransfer-encoding: chunked", /^400 content-length and transfer-encoding/],
    ["transfer-encoding: chunked\ncontent-length: 5", /^400 content-length and transfer-encoding/],
    ["content-length: 5\ncontent-length: 5", /^400 the field content-length stands twice/],
    ["content-length: 5, 5", /^400 content-length is not/],
    ["content-length: ", /^400 content-length is not/],
    ["content-length: -5", /^400 content-length is not/],
    ["content-length: +5", /^400 content-length is not/],
    ["content-length: 5 5", /^400 content-length is not/],
    ["content-length: 0x5", /^400 content-length is not/],
    ["content-length: 5.0", /^400 content-length is not/],
    ["content-length: 9007199254740992", /^400 content-length is not/],
    ["content-length: 99999999999999999999", /^400 content-length is not/],
    ["transfer-encoding: chunked, gzip", /^400 chunked is not/],
    ["transfer-encoding: gzip", /^400 chunked is not/],
    ["transfer-encoding: identity", /^400 chunked is not/],
    ["transfer-encoding: xchunked", /^400 chunked is not/],
    ["transfer-encoding: ", /^400 chunked is not/],
    ["transfer-encoding: chunked, chunked", /^400 chunked is not/],
    ["transfer-encoding: chunked\ntransfer-encoding: chunked", /^400 chunked is not/],
    ["transfer-encoding: gzip\ntransfer-encoding: chunked", /^400 chunked is not/],
    ["transfer-encoding: chunked;q=1", /^400 chunked is not/],
    ["transfer-encoding: gzip, chunked", /^501/],
    ["expect: the-best", /^417/],
    ["expect: 100-continue, more", /^417/],
  ])("%j is refused", (lines, expected) => {
    expect(refusalOf(crlf(`POST / HTTP/1.1\nhost: a\n${lines}\n\n`))).toMatch(expected);
  });

  test("transfer-encoding is refused in HTTP/1.0, and its expectations are ignored", () => {
    expect(refusalOf(crlf("POST / HTTP/1.0\ntransfer-encoding: chunked\n\n"))).toMatch(/^400 transfer-encoding stands/);
    expect(good("POST / HTTP/1.0\nexpect: 100-continue\n\n").expectsContinue).toBe(false);
  });

  test.each([
    ["close", { wantsClose: true, wantsKeepAlive: false, wantsUpgrade: false }],
    ["Keep-Alive", { wantsClose: false, wantsKeepAlive: true }],
    ["keep-alive, Upgrade", { wantsKeepAlive: true, wantsUpgrade: true }],
    ["closed, x-close", { wantsClose: false }],
    ["x\nconnection: close", { wantsClose: true }],
  ])("connection: %j is understood", (value, expected) => {
    expect(good(`GET / HTTP/1.1\nhost: a\nconnection: ${value}\n\n`).fields).toMatchObject(expected);
  });
});

describe("limits", () => {
  const filler = (size: number) => `GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(size - 32)}\r\n\r\n`;

  test.each([
    ["a target of the greatest length", `GET /${"a".repeat(99)} HTTP/1.1\r\nhost: a\r\n\r\n`, /^taken/],
    ["a longer target", `GET /${"a".repeat(100)} HTTP/1.1\r\nhost: a\r\n\r\n`, /^414/],
    ["a longer target, before its end", `GET /${"a".repeat(100)}`, /^414/],
    ["a head of the greatest size", filler(2048), /^taken/],
    ["a larger head", filler(2049), /^431/],
    ["a larger head, before its end", filler(3000).slice(0, 2048), /^431/],
    ["a method without end", "G".repeat(100), /^400/],
  ])("%s", (_name, text, expected) => {
    expect(refusalOf(text)).toMatch(expected);
  });

  test("what follows a head does not count", () => {
    expect(refusalOf(filler(2000) + "x".repeat(5000))).toBe("taken");
  });
});

describe("under any bytes", () => {
  const token = fc.string({
    unit: fc.constantFrom(...Array.from("abcXYZ019!#$%&'*+-.^_`|~")),
    minLength: 1,
    maxLength: 12,
  });
  const value = fc
    .string({ unit: fc.constantFrom(...Array.from('abc XYZ\t019"(),/:;<=>?@[]{}\xe4\xff')), maxLength: 20 })
    .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
  const special = ["host", "content-length", "transfer-encoding", "expect", "connection"];
  const aRequest = fc.record({
    method: token,
    target: fc
      .string({ unit: fc.constantFrom(...Array.from("abc/.%?&=~-_09")), maxLength: 30 })
      .map((text) => `/${text}`),
    fields: fc.array(fc.tuple(token, value), { maxLength: 8 }),
  });
  const wide: RequestHeadLimits = { maxHeadSize: 4096, maxTargetSize: 1000, maxFields: 20 };

  test("a right request is read as it was written", () => {
    fc.assert(
      fc.property(aRequest, ({ method, target, fields }) => {
        const others = fields.filter(([name]) => !special.includes(name.toLowerCase()));
        const lines = [["host", "a.example"], ...others].map(([name, value]) => `${name}: ${value}\r\n`).join("");
        const isConnect = method === "CONNECT";
        const head = read(`${method} ${isConnect ? "a:1" : target} HTTP/1.1\r\n${lines}\r\n`, wide);
        expect(head).toBeInstanceOf(Http1RequestHead);
        if (!(head instanceof Http1RequestHead)) return;
        expect(head.method).toBe(method);
        if (!isConnect) expect(head.target).toBe(target);
        expect([...head.fields].slice(1)).toEqual(others.map(([name, value]) => [name.toLowerCase(), value]));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  /** Heads that are nearly right, and bytes that are not at all. */
  const nearly = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc
      .array(
        fc.constantFrom(
          ..."GET POST / HTTP/1.1 HTTP/1.0 host: a content-length: 5 transfer-encoding: chunked , ; x \0 \x7f %".split(
            " ",
          ),
          "\r\n",
          "\r",
          "\n",
          " ",
          "\t",
          ":",
          "\r\n\r\n",
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join("")),
    aRequest.map(({ method, target, fields }) =>
      [`${method} ${target} HTTP/1.1`, "host: a", ...fields.map((field) => field.join(":")), "", "rest"].join("\r\n"),
    ),
  );

  test("nothing is thrown, and a head is the same however it is split", () => {
    fc.assert(
      fc.property(nearly, (text) => {
        const whole = read(text, wide);
        const bytes = Buffer.from(text, "latin1");
        let first: Http1RequestHead | BadHead | undefined;
        for (let end = 0; end <= bytes.length && first === undefined; end++)
          first = readHttp1RequestHead(bytes, 0, end, wide);
        if (whole instanceof Http1RequestHead) {
          expect(first).toMatchObject({ end: whole.end, method: whole.method, contentSize: whole.contentSize });
          expect([...(first instanceof Http1RequestHead ? first.fields : [])]).toEqual([...whole.fields]);
        } else expect(first).toBe(whole);
      }),
      { numRuns: 1000, seed: 2 },
    );
  });
});
