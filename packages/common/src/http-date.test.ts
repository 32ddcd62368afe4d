import fc from "fast-check";
import { expect, test } from "vitest";
import { formatHTTPDate, parseHTTPDate } from "./http-date.ts";

test.each([
  ["Sun, 06 Nov 1994 08:49:37 GMT", 784111777],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 784111777],
  ["Sun Nov  6 08:49:37 1994", 784111777],
  ["Wed Nov 16 08:49:37 1994", 784975777],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["Thu, 29 Feb 2024 00:00:00 GMT", 1709164800],
  ["Sat, 31 Dec 2016 23:59:60 GMT", 1483228800],
])("reads %s", (text, seconds) => {
  expect(parseHTTPDate(text)).toBe(seconds);
});

test("takes a year of two digits for the nearest that is no more than 50 years ahead", () => {
  const now = Date.UTC(2026, 0, 1) / 1000;
  expect(parseHTTPDate("Friday, 01-Jan-76 00:00:00 GMT", now)).toBe(Date.UTC(2076, 0, 1) / 1000);
  expect(parseHTTPDate("Friday, 01-Jan-77 00:00:00 GMT", now)).toBe(Date.UTC(1977, 0, 1) / 1000);
});

test.each([
  "",
  "0",
  "now",
  "1994-11-06T08:49:37Z",
  "Sun, 06 Nov 1994 08:49:37",
  "Sun, 06 Nov 1994 08:49:37 UTC",
  "Sun, 06 Nov 1994 08:49:37 GMT ",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "sun, 06 nov 1994 08:49:37 gmt",
  "Xxx, 06 Nov 1994 08:49:37 GMT",
  "Sun, 06 Xxx 1994 08:49:37 GMT",
  "Sun, 30 Feb 2024 08:49:37 GMT",
  "Sun, 00 Nov 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 24:00:00 GMT",
  "Sun, 06 Nov 1994 08:60:37 GMT",
  "Sun, 06 Nov 1994 08:49:61 GMT",
  "Sun, 06 Nov 1994 08:49:37 GMT".repeat(1000),
])("does not read %j", (text) => {
  expect(parseHTTPDate(text)).toBeUndefined();
});

test("reads what it writes", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62135596800, max: 253402300799 }), (seconds) => {
      expect(parseHTTPDate(formatHTTPDate(seconds))).toBe(seconds);
    }),
  );
});
