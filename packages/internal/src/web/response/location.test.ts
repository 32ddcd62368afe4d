import { expect, test } from "vitest";
import { encodeLocation, isLocation } from "./location.ts";

test.each([
  ["/a?b=c&d=%20#e", "/a?b=c&d=%20#e"],
  ["https://[::1]:8080/(a);b,c'*!$~@", "https://[::1]:8080/(a);b,c'*!$~@"],
  ["", ""],
  ["/€", "/%E2%82%AC"],
  ["/ü/😀", "/%C3%BC/%F0%9F%98%80"],
  ['/a b"<>\\^`{|}', "/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D"],
  ["/\r\nx: 1\0", "/%0D%0Ax:%201%00"],
  ["/100%/%zz/%41", "/100%25/%25zz/%41"],
  ["/\ud800", "/%EF%BF%BD"],
])("%j is the location %j", (text, location) => {
  expect(encodeLocation(text)).toBe(location);
});

test.each(["/a", "a", "?b", "//a.example", "https://a.example/ü", "mailto:a@a.example"])(
  "%j can be a location",
  (text) => {
    expect(isLocation(text)).toBe(true);
  },
);

test.each(["", "see there", "https://", "https://a:b/", "\\a", "/\n"])("%j cannot be a location", (text) => {
  expect(isLocation(text)).toBe(false);
});
