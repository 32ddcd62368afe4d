import { writeFile, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SpecSource } from "../../config/spec.ts";
import { kind, shape } from "../kind.ts";
import { prop } from "../prop.ts";
import type { Value } from "../value.ts";
import { variableTable } from "../variables.ts";
import { writtenValue } from "../written.ts";
import type { Mistake, Prop } from "./prop-type.ts";

const file: SpecSource = { name: "x.conf", text: "" };

/** A value as if it had been written in a file, where sizes and durations have literals of their own. */
function inFile(value: Value): Value {
  const span = { source: file, start: 0, end: 0 };
  if (value.type === "list") return { ...value, items: value.items.map(inFile), span };
  return { ...value, span };
}

function read<T>({ type }: Prop<T>, value: Value) {
  const mistakes: Mistake[] = [];
  const result = type.read(value, ".x", {
    path: "test",
    baseDir: "/base",
    constants: new Map([["tmpsDir", "/tmps"]]),
    variables: variableTable<object>({ path: () => "" }, { header_: () => () => "" }),
    report: (mistake) => mistakes.push(mistake),
    warn: (mistake) => mistakes.push(mistake),
    refer: () => undefined,
  });
  return { result, messages: mistakes.map(({ message }) => message), hints: mistakes.map(({ hint }) => hint) };
}

/** Reads plain data, as a TypeScript object gives it. */
function written<T>(prop: Prop<T>, data: unknown): T | undefined {
  const { result, messages } = read(prop, writtenValue(data));
  expect(messages.length > 0).toBe(result === undefined);
  return result;
}

describe("amounts", () => {
  test.each([
    [prop.size(), "64K", 65536],
    [prop.size(), "0K", 0],
    [prop.size(), 10, 10],
    [prop.size({ max: "1M" }), "2M", undefined],
    [prop.size(), "1s", undefined],
    [prop.size(), "64k", undefined],
    [prop.duration(), "1m", 60_000],
    [prop.duration(), 1500, 1500],
    [prop.duration({ min: "1s" }), 999, undefined],
    [prop.duration(), "10", 10],
    [prop.duration(), "1.5s", undefined],
    [prop.integer(), "10", 10],
    [prop.integer(), 1.5, undefined],
    [prop.integer(), 2 ** 53, undefined],
    [prop.integer({ min: 1, max: 5 }), 6, undefined],
    [prop.integer(), NaN, undefined],
    [prop.bool(), "true", true],
    [prop.bool(), 1, undefined],
  ])("%# in TypeScript, %j is %j", (prop, data, expected) => {
    expect(written<unknown>(prop, data)).toBe(expected);
  });

  test("a duration is at most what a timer can wait for, unless its prop has a bound of its own", () => {
    expect(written(prop.duration(), "24d")).toBe(24 * 24 * 60 * 60 * 1000);
    expect(read(prop.duration({ min: "1ms" }), writtenValue("25d"))).toMatchObject({
      messages: [expect.stringContaining(".x takes a duration of at most 24d, not ") as string],
    });
    expect(read(prop.duration({ max: "365d" }), writtenValue("25d"))).toMatchObject({ messages: [] });
  });

  test("in a file, text is no amount, and a bare number no duration", () => {
    expect(read(prop.size(), inFile(writtenValue("64K"))).messages).toEqual([
      '.x takes a size such as 64K, not the string "64K"',
    ]);
    expect(read(prop.duration({ min: "1s", max: "1h" }), inFile(writtenValue(30)))).toMatchObject({
      messages: [".x takes a duration from 1s to 1h, not the integer 30"],
      hints: ["did you mean 30s or 30ms?"],
    });
    expect(read(prop.integer({ min: 1 }), inFile(writtenValue(0))).messages).toEqual([
      ".x takes an integer of at least 1, not the integer 0",
    ]);
  });
});

const onAll = 'write "127.0.0.1:3080", or ":3080" for all addresses of the machine';

test.each<[prop: Prop, data: unknown, hint: string | undefined]>([
  [prop.bool(), "true", "write true, without quotes"],
  [prop.bool(), "off", "write false, without quotes"],
  [prop.bool(), 1, "write true"],
  [prop.bool(), "maybe", undefined],
  [prop.size(), "64K", "write 64K, without quotes"],
  [prop.size(), "10MB", "write 10M, without quotes"],
  [prop.size(), "10s", undefined],
  [prop.duration(), "5 seconds", "write 5s, without quotes"],
  [prop.duration(), "500ms", "write 500ms, without quotes"],
  [prop.duration(), "soon", undefined],
  [prop.integer(), "5", "write 5, without quotes"],
  [prop.address(), 3080, onAll],
  [prop.address(), "3080", onAll],
  [prop.address(), "*:3080", onAll],
  [prop.address(), 70_000, "the highest port is 65535"],
  [prop.address(), "127.0.0.1:70000", "the highest port is 65535"],
  [prop.address(), "127.0.0.1", 'the port is missing: write "127.0.0.1:80"'],
  [prop.address(), "[::1]", 'the port is missing: write "[::1]:80"'],
  [prop.address(), "::1:80", 'an IPv6 address has brackets, and its port behind them: "[::1]:80"'],
  [prop.address(), "http://a.example:81/x", 'an address has no scheme and no path: write "a.example:81"'],
  [prop.address(), "http://a.example", 'an address has no scheme and no path: write "a.example:80"'],
  [prop.address(), "https://a.example/", 'an address has no scheme and no path: write "a.example:443"'],
  [prop.address(), "http://a b/", undefined],
  [prop.address(), "", undefined],
  [prop.addressRange(), "http://127.0.0.1:80", 'an address has no scheme and no path: write "127.0.0.1:80"'],
  [prop.hostnames(), ["bücher.example"], 'clients send this name in ASCII: write "xn--bcher-kva.example"'],
  [prop.hostnames(), ["*.bücher.example"], 'clients send this name in ASCII: write "*.xn--bcher-kva.example"'],
  [prop.hostnames(), [".a.example"], 'write "*.a.example" for what is below it, and "a.example" for itself'],
  [prop.hostnames(), ["a b"], undefined],
  [prop.module(), "app.tsx", "Node.js runs no JSX: name what is compiled from it"],
  [prop.module(), "app", undefined],
])("a wrong value in a file has a hint of how it is written, if one is known: %#", (prop, data, hint) => {
  expect(read(prop, inFile(writtenValue(data))).hints).toEqual([hint]);
});

describe("addresses", () => {
  test.each([
    [":3080", { host: "", port: 3080 }],
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
    ["[::1]:65535", { host: "::1", port: 65535 }],
    ["Example.COM:80", { host: "example.com", port: 80 }],
    ["/run/a.sock", { path: "/run/a.sock" }],
    ["::1:80", undefined],
    ["[1.2.3.4]:80", undefined],
    [":65536", undefined],
    [":", undefined],
    ["80", undefined],
    ["a b:80", undefined],
    ["run/a.sock", undefined],
    ["", undefined],
  ])("%j is %j", (text, expected) => {
    expect(written(prop.address(), text)).toEqual(expected);
  });

  test.each([":3080", "[::1]:80", "/run/a.sock", "a.example:1"])("%j is shown as it was written", (text) => {
    const { type } = prop.address();
    const address = written(prop.address(), text);
    expect(address && type.plain?.(address)).toBe(text);
  });

  test("a set of CIDRs knows what is in it, IPv4 mapped into IPv6 too", () => {
    const set = written(prop.addresses(), ["10.0.0.0/8", "192.168.1.1", "fd00::/8", "::1"]);
    const inside = ["10.255.0.1", "::ffff:10.1.2.3", "::FFFF:0a01:0203", "192.168.1.1", "fd12::1", "::1"];
    const outside = ["11.0.0.1", "192.168.1.2", "fe80::1", "::ffff:11.0.0.1", "::", "x", "", "10.0.0.0/8"];
    expect(inside.filter((ip) => set?.contains(ip) !== true)).toEqual([]);
    expect(outside.filter((ip) => set?.contains(ip) !== false)).toEqual([]);
  });

  test("a set may be written with IPv4 mapped into IPv6, and may be everything or empty", () => {
    const mapped = written(prop.addresses(), ["::ffff:10.0.0.0/104"]);
    expect([mapped?.contains("10.1.1.1"), mapped?.contains("11.1.1.1")]).toEqual([true, false]);
    const all = written(prop.addresses(), ["0.0.0.0/0", "::/0"]);
    expect([all?.contains("1.2.3.4"), all?.contains("fe80::1")]).toEqual([true, true]);
    expect(written(prop.addresses(), [])?.contains("1.2.3.4")).toBe(false);
  });

  test.each(["10.0.0.0/33", "::1/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/8/8", "fe80::1%eth0", "example.com"])(
    "%j is no CIDR",
    (text) => {
      expect(written(prop.addresses(), [text])).toBeUndefined();
    },
  );

  test.each([
    ["Shop.Example", "shop.example"],
    ["*.example", "*.example"],
    ["shop.*", "shop.*"],
    ["*", "*"],
    ["[::1]", "[::1]"],
    ["a_b-c.d", "a_b-c.d"],
    ["*.*", undefined],
    ["a.*.b", undefined],
    ["a..b", undefined],
    [".a", undefined],
    ["a:80", undefined],
    ["a/b", undefined],
    ["[1.2.3.4]", undefined],
    ["Shop.Example.", "shop.example"],
    ["*.Example.", "*.example"],
    ["[::FFFF:1.2.3.4]", "[::ffff:1.2.3.4]"],
    [`${"a".repeat(63)}.${"b.".repeat(94)}b`, `${"a".repeat(63)}.${"b.".repeat(94)}b`],
    [`${"a".repeat(63)}.${"b.".repeat(95)}b`, undefined],
    ["", undefined],
    [".", undefined],
    ["*.", undefined],
    ["*a.b", undefined],
    ["a*", undefined],
    ["a b", undefined],
    ["a..", undefined],
    ["shop.*.", undefined],
    ["http://a", undefined],
    ["é.example", undefined],
    ["[", undefined],
    ["[]", undefined],
    ["[::1", undefined],
    ["[::g]", undefined],
    ["[::1%eth0]", undefined],
    ["[::1].", undefined],
    [`${"a".repeat(64)}.b`, undefined],
    [`*.${"a".repeat(64)}`, undefined],
  ])("the hostname %j is %j", (text, expected) => {
    expect(written(prop.hostnames(), [text])).toEqual(expected === undefined ? undefined : [expected]);
  });

  test("hostnames may have to be at least so many", () => {
    expect(read(prop.hostnames({ min: 1 }), writtenValue([])).messages).toEqual([
      ".x takes a list of hostnames of at least 1 item, not of 0",
    ]);
    expect(written(prop.hostnames(), [])).toEqual([]);
  });
});

describe("texts and collections", () => {
  test("a string has the length and the pattern that it must have", () => {
    const token = prop.string({ pattern: { expression: /^[a-z]+$/, takes: "a word" }, maxLength: 3 });
    expect([written(token, "abc"), written(token, "abcd"), written(token, "A")]).toEqual(["abc", undefined, undefined]);
    expect(read(token, writtenValue("abcd")).messages).toEqual([
      '.x takes a word of 0 to 3 characters, not the string "abcd"',
    ]);
  });

  test("every mistake in a collection is reported, with its place", () => {
    const nodes = prop.list(prop.record({ a: prop.integer({ required: true }), b: prop.strings({ default: ["x"] }) }));
    expect(written(nodes, [{ a: 1 }])).toEqual([{ a: 1, b: ["x"] }]);
    expect(read(nodes, writtenValue([{ a: 1, b: [2] }, { c: 1 }, 3])).messages).toEqual([
      ".x[0].b[0] takes a string, not the integer 2",
      '.x[1] needs "a"',
      '.x[1] has no "c"',
      ".x[2] takes a dict, not the integer 3",
    ]);
  });

  test("a text in place of a record has a hint of the one prop that the record needs", () => {
    const node = { address: prop.string({ required: true }), weight: prop.integer({ default: 1 }) };
    const nodes = prop.list(prop.record(node));
    expect(read(nodes, writtenValue(["127.0.0.1:80", 3]))).toMatchObject({
      messages: ['.x[0] takes a dict, not the string "127.0.0.1:80"', ".x[1] takes a dict, not the integer 3"],
      hints: ['write ["address": "127.0.0.1:80"]', 'a list is written ("a", "b"), a dict ["a": 1]'],
    });
    const both = prop.list(prop.record({ ...node, name: prop.string({ required: true }) }));
    expect(read(both, writtenValue(["a"])).hints).toEqual(['a list is written ("a", "b"), a dict ["a": 1]']);
  });

  test("a dict may have any keys, those of objects too", () => {
    const dict = written(prop.dict(prop.integer(), { default: {} }), JSON.parse('{"__proto__": 1, "constructor": 2}'));
    expect([...(dict ?? [])]).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
    ]);
  });

  test("a record does not take the keys of objects for its own", () => {
    const record = prop.record({ a: prop.integer() });
    expect(read(record, writtenValue(JSON.parse('{"__proto__": 1, "toString": 2}'))).messages).toEqual([
      '.x has no "__proto__"',
      '.x has no "toString"',
    ]);
  });

  test("a default that no configuration could hold is refused when it is declared", () => {
    // @ts-expect-error: null is no string
    expect(() => prop.string({ default: null })).toThrow("a default of a prop cannot be null");
  });
});

describe("files", () => {
  test("a path starts from the base directory", () => {
    expect(written(prop.path(), "web/../x")).toBe("/base/x");
    expect(written(prop.path(), "/a")).toBe("/a");
    expect(written(prop.path(), "a\0b")).toBeUndefined();
  });

  test("a default may start from another folder, but not what is set", () => {
    const uploads = prop.path({ default: "uploads", defaultIn: "tmpsDir" });
    expect(uploads.default && read(uploads, uploads.default).result).toBe("/tmps/uploads");
    expect(read(uploads, inFile(writtenValue("uploads"))).result).toBe("/base/uploads");
  });

  test("a module is loaded when asked for", async () => {
    await using dir = await mkdtempDisposable(join(tmpdir(), "hemi-module-"));
    const path = join(dir.path, "module.mjs");
    await writeFile(path, "export const answer = 42;");
    const module = written(prop.module(), path);
    expect(module?.file).toBe(path);
    expect(await module?.load()).toMatchObject({ answer: 42 });
  });

  test("a module that cannot be loaded is an error with its file and the reason", async () => {
    const missing = written(prop.module(), "no/such.ts");
    await expect(missing?.load()).rejects.toMatchObject({
      code: "HEMI_MODULE",
      message: expect.stringContaining("the module /base/no/such.ts cannot be loaded: there is no such file"),
    });
    await using dir = await mkdtempDisposable(join(tmpdir(), "hemi-module-"));
    await writeFile(join(dir.path, "a.mjs"), "throw new Error('broken');");
    await expect(written(prop.module(), join(dir.path, "a.mjs"))?.load()).rejects.toThrow(
      /a\.mjs cannot be loaded: broken/,
    );
  });
});

describe("references", () => {
  test("take names, which the resolver looks up", () => {
    const thing = kind({ name: "thing", rank: 1, standsIn: [], part: shape<object>(), owner: shape<undefined>() });
    expect(read(prop.reference(thing), writtenValue(3)).messages).toEqual([
      ".x takes the name of a thing, not the integer 3",
    ]);
  });
});
