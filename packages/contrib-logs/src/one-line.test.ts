// What a line of a log may not do to a receiver of single lines.

import { expect, test } from "vitest";
import { oneLine } from "./one-line.ts";

const line = { log: "errorLog", time: 0, level: "info", path: "", text: "", cause: "", traceId: "" } as const;

test("no control character of a line reaches a terminal, nor makes two lines of it", () => {
  const text = "a\r\n<0>b\u0000c\u001b[2Jd\u007fe\u009b2Jf\u0085g";
  expect(oneLine({ ...line, text }, 1000)).toBe("a  <0>b c [2Jd e 2Jf g");
});

test("a cause stands behind its line, without empty lines", () => {
  expect(oneLine({ ...line, text: "failed", cause: "Error: no\n\n    at here\n" }, 1000)).toBe(
    "failed | Error: no | at here",
  );
});

test.each([400, 401, 402, 403])("a line is cut to %i bytes between two characters", (size) => {
  const cut = oneLine({ ...line, text: "€".repeat(1000) }, size);
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(size);
  expect(cut).toMatch(/^€{132,133}\.\.\.$/);
});
