import { expect, test } from "vitest";
import { certificateTime } from "./certificate-time.ts";

test.each([
  ["Dec  2 03:04:05 2060 GMT", Date.UTC(2060, 11, 2, 3, 4, 5)],
  ["Dec 12 03:04:05 9913 GMT", Date.UTC(9913, 11, 12, 3, 4, 5)],
  ["Bad time value", NaN],
])("%s", (text, time) => {
  expect(certificateTime(text).getTime()).toBe(time);
});
