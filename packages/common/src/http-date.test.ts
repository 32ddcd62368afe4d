import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatHttpDate, parseHttpDate } from "./http-date.ts";

const example = Date.UTC(1994, 10, 6, 8, 49, 37);
const now = Date.UTC(2026, 0, 31);

describe("formatHttpDate", () => {
  test("writes an IMF-fixdate, rounded down to the second", () => {
    expect(formatHttpDate(example + 999)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  });

  test.each([
    [Infinity, "Fri, 31 Dec 9999 23:59:59 GMT"],
    [8.64e15, "Fri, 31 Dec 9999 23:59:59 GMT"],
    [-8.64e15, "Sat, 01 Jan 0000 00:00:00 GMT"],
  ])("keeps %d within what the form can say", (ms, text) => {
    expect(formatHttpDate(ms)).toBe(text);
  });

  test("refuses what is not a number", () => {
    expect(() => formatHttpDate(NaN)).toThrow(RangeError);
  });
});

describe("parseHttpDate", () => {
  test.each([
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun Nov 06 08:49:37 1994",
  ])("reads %j", (text) => {
    expect(parseHttpDate(text, now)).toBe(example);
  });

  test.each([
    ["Thursday, 31-Dec-75 23:59:59 GMT", Date.UTC(2075, 11, 31, 23, 59, 59)],
    ["Friday, 31-Jan-76 00:00:00 GMT", Date.UTC(2076, 0, 31)],
    ["Saturday, 01-Feb-76 00:00:00 GMT", Date.UTC(1976, 1, 1)],
    ["Saturday, 31-Dec-99 00:00:00 GMT", Date.UTC(1999, 11, 31)],
    // 2000 was a leap year, 1900 was not: the day decides nothing, the rule of 50 years does.
    ["Tuesday, 29-Feb-00 00:00:00 GMT", Date.UTC(2000, 1, 29)],
  ])("takes %j for at most 50 years ahead", (text, ms) => {
    expect(parseHttpDate(text, now)).toBe(ms);
  });

  test("takes a leap second for the next second", () => {
    expect(parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT")).toBe(Date.UTC(2017, 0, 1));
  });

  test.each([
    "",
    "0",
    "now",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT\n",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "sun, 06 nov 1994 08:49:37 gmt",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Thu, 31 Nov 1994 08:49:37 GMT",
    "Mon, 29 Feb 2023 00:00:00 GMT",
    "Sun, ٠٦ Nov 1994 08:49:37 GMT",
  ])("refuses %j", (text) => {
    expect(parseHttpDate(text, now)).toBeUndefined();
  });

  test("reads back what was written", () => {
    const first = new Date("0000-01-01T00:00:00Z").getTime() / 1000;
    fc.assert(
      fc.property(fc.integer({ min: first, max: 253_402_300_799 }), (second) => {
        expect(parseHttpDate(formatHttpDate(second * 1000))).toBe(second * 1000);
      }),
    );
  });
});
