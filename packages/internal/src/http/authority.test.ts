import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAuthority } from "./authority.ts";

test.each([
  ["shop.example", "shop.example", ""],
  ["Shop.Example:8080", "shop.example", ":8080"],
  ["shop.example.", "shop.example", ""],
  ["shop.example.:80", "shop.example", ":80"],
  ["localhost", "localhost", ""],
  ["my_host-1", "my_host-1", ""],
  ["127.0.0.1:1", "127.0.0.1", ":1"],
  ["a:65535", "a", ":65535"],
  ["a:", "a", ""],
  ["[::1]:", "[::1]", ""],
  ["ex!ample", "ex!ample", ""],
  ["%41.Example:8080", "%41.example", ":8080"],
  ["~a'(b);$&*+=c", "~a'(b);$&*+=c", ""],
  ["a:00080", "a", ":00080"],
  ["[::1]", "[::1]", ""],
  ["[FE80::A]:443", "[fe80::a]", ":443"],
  ["[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", ""],
])("reads %s", (text, hostname, colonPort) => {
  expect(parseAuthority(text)).toEqual({ hostname, colonPort, text: hostname + colonPort });
});

test.each([
  ["an empty host", ""],
  ["a port without a host", ":80"],
  ["a dot alone", "."],
  ["a dot before a port", ".:80"],
  ["an empty label", "a..b"],
  ["a leading dot", ".a"],
  ["two trailing dots", "a.."],
  ["a port of six digits", "a:080800"],
  ["a port that is too large", "a:65536"],
  ["a port that is no number", "a:8x"],
  ["a signed port", "a:+80"],
  ["two ports", "a:80:80"],
  ["user information", "user@a"],
  ["user information with a password", "user:1@a"],
  ["a path", "a/b"],
  ["a query", "a?b"],
  ["a space", "a b"],
  ["a tab", "a\t"],
  ["NUL", "a\0"],
  ["two names", "a,b"],
  ["broken percent-encoding", "a%2"],
  ["a percent sign alone", "%zz.example"],
  ["a double quote", 'a"b'],
  ["a backslash", "a\\b"],
  ["what is not ASCII", "é"],
  ["a byte above ASCII", "a\xff"],
  ["an address without brackets", "::1"],
  ["an open bracket", "[::1"],
  ["empty brackets", "[]"],
  ["a zone", "[fe80::1%eth0]"],
  ["an encoded zone", "[fe80::1%25eth0]"],
  ["a name in brackets", "[a.example]"],
  ["IPv4 in brackets", "[127.0.0.1]"],
  ["text behind brackets", "[::1]a"],
  ["an address of the future", "[v1.x]"],
  ["a name that is too long", "a".repeat(262)],
])("refuses %s", (_what, text) => {
  expect(parseAuthority(text)).toBeUndefined();
});

test("what it gives, it reads again to the same", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webAuthority(),
        fc.domain(),
        fc.ipV6().map((address) => `[${address}]`),
      ),
      (text) => {
        const authority = parseAuthority(text);
        if (authority === undefined) return;
        expect(parseAuthority(authority.hostname + authority.colonPort)).toEqual(authority);
        expect(authority.hostname).toMatch(/^[a-z0-9._~!$&'()*+;=%:[\]-]+$/);
      },
    ),
  );
});
