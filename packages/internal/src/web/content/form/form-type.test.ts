import { expect, test } from "vitest";
import { HTTPError } from "../../http-error.ts";
import { formTypeOf } from "./form-type.ts";

test.each([
  ["application/x-www-form-urlencoded", undefined],
  ["Application/X-WWW-Form-URLEncoded; charset=UTF-8", undefined],
  ["multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW"],
  ['multipart/form-data; charset=utf-8; boundary="a b"', "a b"],
  ["multipart/form-data;boundary=" + "x".repeat(70), "x".repeat(70)],
])("%s is a form", (contentType, boundary) => {
  expect(formTypeOf(contentType)).toEqual(
    boundary === undefined ? { sort: "urlencoded" } : { sort: "multipart", boundary },
  );
});

test.each([
  [undefined, 415],
  ["", 415],
  ["text/plain", 415],
  ["multipart/mixed; boundary=x", 415],
  [`multipart/form-data;${" ".repeat(500)}boundary=x`, 415],
  ["multipart/form-data-x; boundary=x", 415],
  ["multipart/form-data", 400],
  ["multipart/form-data; boundary=", 400],
  ['multipart/form-data; boundary=""', 400],
  ['multipart/form-data; boundary="x "', 400],
  ['multipart/form-data; boundary="a{b"', 400],
  ["multipart/form-data; boundary=" + "x".repeat(71), 400],
])("%s is refused with %i", (contentType, status) => {
  let thrown: unknown;
  try {
    formTypeOf(contentType);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(HTTPError);
  expect(thrown).toMatchObject({ status });
});
