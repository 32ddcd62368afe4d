import { expect, test } from "vitest";
import { readPartHead } from "./part-head.ts";

/** Bytes as characters, as the parser gives them. */
const bytes = (text: string): string => Buffer.from(text).toString("latin1");

test.each<[disposition: string, name: string, fileName: string | undefined]>([
  // Chromium, Firefox, Safari; undici, as fetch writes it.
  ['form-data; name="a"', "a", undefined],
  ['form-data; name="f"; filename="x.txt"', "f", "x.txt"],
  ['form-data; name="f"; filename=""', "f", ""],
  ['form-data; name=""', "", undefined],
  ['form-data; name="a%22b%0D%0Ac"; filename="100%25 %41.txt"', 'a"b\r\nc', "100%25 %41.txt"],
  ['form-data; name="grüße"; filename="日本.txt"', "grüße", "日本.txt"],
  // Browsers of old: the whole path.
  ['form-data; name="f"; filename="C:\\Users\\x.txt"', "f", "C:\\Users\\x.txt"],
  // curl before 7.81, and others that quote as headers do.
  ['form-data; name="f"; filename="a\\"b\\\\c.txt"', "f", 'a"b\\c.txt'],
  ["form-data; name=a; filename=x.txt", "a", "x.txt"],
  ['Form-Data;name="a" ;\tFILENAME = "x"', "a", "x"],
  // RFC 7578 4.2 forbids filename*, which could name something else than filename does.
  [`form-data; name="f"; filename="x.txt"; filename*=UTF-8''..%2F..%2Fevil`, "f", "x.txt"],
  // Some clients send it alone.
  [`form-data; name="f"; filename*=UTF-8''%e2%82%ac%20rates.txt`, "f", "€ rates.txt"],
  [`form-data; name="f"; filename*=iso-8859-1'de'gr%FC%DFe`, "f", "grüße"],
  // Libraries of mail, such as those of Java and Python, in the words of RFC 2047.
  ['form-data; name="f"; filename="=?UTF-8?B?4oKsLnR4dA==?="', "f", "€.txt"],
  ['form-data; name="f"; filename="=?utf-8?Q?gr=C3=BC=C3=9Fe_?= =?ISO-8859-1?q?=E4.txt?="', "f", "grüße ä.txt"],
  ['form-data; name="f"; filename="=?no-such?B?4oKs?="', "f", "=?no-such?B?4oKs?="],
  ['form-data; name="f"; filename="=?UTF-8?B?4oKs?=x"', "f", "=?UTF-8?B?4oKs?=x"],
  ['form-data; name="f"; filename="../../x"', "f", "../../x"],
])("%s", (disposition, name, fileName) => {
  expect(readPartHead({ "content-disposition": [bytes(disposition)] })).toEqual({ name, fileName, mediaType: "" });
});

test("what is not UTF-8 in a name becomes U+FFFD", () => {
  const head = readPartHead({ "content-disposition": ['form-data; name="caf\xe9"'] });
  expect(head).toMatchObject({ name: "caf\uFFFD" });
});

test("the media type comes without its parameters", () => {
  const fields = { "content-disposition": ['form-data; name="a"'], "content-type": ["Text/Plain; charset=latin1"] };
  expect(readPartHead(fields)).toMatchObject({ mediaType: "text/plain" });
});

test.each([
  ["attachment; name=a", "malformed"],
  ["form-data", "no name"],
  ["form-data; name=a; filename*=x", "filename* of a part is malformed"],
  ["form-data; name=a; filename*=UTF-8''%zz", "filename* of a part is malformed"],
  ['form-data; filename="x"', "no name"],
  ['form-data; name="a"; name="b"', "malformed"],
  ['form-data; name="a', "malformed"],
  ['form-data; name="a\\"', "malformed"],
  ['form-data; name="a" "b"', "malformed"],
  ['form-dataname="a"', "malformed"],
])("%s is refused: %s", (disposition, reason) => {
  expect(readPartHead({ "content-disposition": [disposition] })).toContain(reason);
});

test("a part without a content-disposition is refused, and one with two", () => {
  expect(readPartHead({})).toContain("no content-disposition");
  expect(readPartHead({ "content-disposition": ["form-data; name=a", "form-data; name=b"] })).toContain("or two");
});
