import { describe, expect, test } from "vitest";
import { BadRequest, readHttp2RequestHead, type Http2RequestHead } from "./request-head.ts";
import { readTrailers } from "./message-fields.ts";

const options = { maxTargetSize: 100, isTLS: false };
const get = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a.example"];

function read(list: readonly string[], isEnded = true, given = options): Http2RequestHead | BadRequest {
  return readHttp2RequestHead({ list: [...list], isTooLarge: false, fault: undefined }, isEnded, given);
}

function accepted(list: readonly string[], isEnded = true): Http2RequestHead {
  const head = read(list, isEnded);
  if (head instanceof BadRequest) throw new Error(head.reason);
  return head;
}

test("a plain request is read", () => {
  expect(accepted(get)).toMatchObject({
    ...{ version: "2", method: "GET", scheme: "http", authority: "a.example", target: "/", contentSize: 0 },
    ...{ pathNeedsCare: false, expectsContinue: false, isTunnel: false, upgrades: [] },
  });
});

test("the authority is seen as the field host, too", () => {
  expect(accepted(get).fields.get("host")).toBe("a.example");
  const [method, , ...rest] = get.slice(0, 6);
  expect(accepted([method ?? "", "GET", ...rest, "host", "b.example"])).toMatchObject({ authority: "b.example" });
});

test("cookies that came in pieces are one", () => {
  const { fields } = accepted([...get, "cookie", "a=b", "x", "y", "cookie", "c=d"]);
  expect(fields.get("cookie")).toBe("a=b; c=d");
  expect([...fields].filter(([name]) => name === "cookie")).toHaveLength(1);
});

test.each([
  [["content-length", "5"], 5],
  [[], undefined],
])("content that follows has the size that %j says", (fields, contentSize) => {
  expect(accepted([...get, ...fields], false).contentSize).toBe(contentSize);
});

test.each([
  ["/a/b", false],
  ["/a%20b", true],
  ["/a/../b", true],
  ["/a\\b", true],
  ["/a?b=%20/.", false],
])("the path of %s needs care: %s", (path, needsCare) => {
  expect(accepted([...get.slice(0, 4), ":path", path, ":authority", "a"]).pathNeedsCare).toBe(needsCare);
});

test("raw UTF-8 in the path is percent-encoded, where that is allowed, and else 400", () => {
  const raw = [...get.slice(0, 4), ":path", "/\xc3\xbcber", ":authority", "a"];
  expect(read(raw)).toMatchObject({ status: 400, reason: expect.stringContaining("rawUTF8InTargets") as unknown });
  const head = readHttp2RequestHead({ list: raw, isTooLarge: false, fault: undefined }, true, {
    ...options,
    rawUTF8InTargets: true,
  });
  expect(head).toMatchObject({ target: "/%C3%BCber", pathNeedsCare: true });
});

test("over TLS the scheme is https, whatever it says", () => {
  expect(read(get, true, { ...options, isTLS: true })).toMatchObject({ scheme: "https" });
});

test("CONNECT names an authority and no more", () => {
  const connect = [":method", "CONNECT", ":authority", "a.example:443"];
  expect(accepted(connect, false)).toMatchObject({ method: "CONNECT", target: "", authority: "a.example:443" });
  expect(read([...connect, ":path", "/"], false)).toBeInstanceOf(BadRequest);
});

test("an extended CONNECT is a GET that asks for another protocol", () => {
  const connect = [
    ":method",
    "CONNECT",
    ":protocol",
    "websocket",
    ":scheme",
    "https",
    ":path",
    "/chat",
    ":authority",
    "a",
  ];
  expect(accepted(connect, false)).toMatchObject({
    ...{ method: "GET", upgrades: ["websocket"], target: "/chat", contentSize: 0, isTunnel: true },
  });
});

describe("malformed is a request", () => {
  const without = (name: string): string[] => get.filter((_text, i) => get[i - (i % 2)] !== name);
  const having = (name: string, value: string): string[] => [...without(name), name, value];
  test.each<[string, string[]]>([
    ["without a method", without(":method")],
    ["without a scheme", without(":scheme")],
    ["without a path", without(":path")],
    ["without an authority", without(":authority")],
    ["with an empty authority", having(":authority", "")],
    ["with an empty path", having(":path", "")],
    ["with an empty method", having(":method", "")],
    ["with a space in its method", having(":method", "GE T")],
    ["with a long method", having(":method", "A".repeat(33))],
    ["of another scheme", having(":scheme", "ftp")],
    ["of a path without its slash", having(":path", "a")],
    ["of a full URL for a path", having(":path", "http://a.example/")],
    ["of * for something else than OPTIONS", having(":path", "*")],
    ["of a path with a space", having(":path", "/a b")],
    ["of a path with a fragment", having(":path", "/a#b")],
    ["with a doubled pseudo-field", [...get, ":path", "/"]],
    ["with a pseudo-field of responses", [...get, ":status", "200"]],
    ["with an unknown pseudo-field", [...get, ":other", "a"]],
    ["with a pseudo-field behind a field", [...without(":path"), "x", "y", ":path", "/"]],
    ["with a protocol that is no CONNECT", [...get, ":protocol", "websocket"]],
    ["with the field connection", [...get, "connection", "close"]],
    ["with the field keep-alive", [...get, "keep-alive", "1"]],
    ["with the field proxy-connection", [...get, "proxy-connection", "close"]],
    ["with the field transfer-encoding", [...get, "transfer-encoding", "chunked"]],
    ["with the field upgrade", [...get, "upgrade", "h2c"]],
    ["with another te than trailers", [...get, "te", "trailers, deflate"]],
    ["with two hosts", [...get, "host", "a.example", "host", "a.example"]],
    ["with a host that is not its authority", [...get, "host", "b.example"]],
    ["with two lengths", [...get, "content-length", "0", "content-length", "0"]],
    ["with a length that is no number", [...get, "content-length", "+1"]],
    ["with a length beyond numbers", [...get, "content-length", "9007199254740992"]],
    ["with a length and no content", [...get, "content-length", "1"]],
  ])("%s", (_name, list) => {
    const head = read(list);
    expect(head).toBeInstanceOf(BadRequest);
    expect(head).toMatchObject({ status: undefined });
  });

  test("with bytes in a field that may not be there", () => {
    expect(readHttp2RequestHead({ list: get, isTooLarge: false, fault: "bad" }, true, options)).toMatchObject({
      reason: "bad",
    });
  });
});

test.each([
  [414, [":method", "GET", ":scheme", "http", ":path", "/" + "a".repeat(100), ":authority", "a"]],
  [417, [...get, "expect", "200-ok"]],
])("%i answers what passes a limit of ours", (status, list) => {
  expect(read(list)).toMatchObject({ status });
});

test("431 answers a head that was too large to be taken whole", () => {
  expect(
    readHttp2RequestHead({ list: [":method", "GET"], isTooLarge: true, fault: undefined }, true, options),
  ).toMatchObject({ status: 431 });
});

test("100-continue may be expected, in any case of letters", () => {
  expect(accepted([...get, "expect", "100-Continue"], false).expectsContinue).toBe(true);
});

test.each([
  [["x", "y"], true],
  [[":status", "200"], false],
  [["connection", "close"], false],
])("trailers of %j are taken: %s", (list, isTaken) => {
  expect(readTrailers({ list, isTooLarge: false, fault: undefined }) !== undefined).toBe(isTaken);
});
