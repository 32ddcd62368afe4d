// Templates of paths that make no sense.

import { expect, test } from "vitest";
import { parseTemplate } from "./path-template.ts";

test.each([
  ["", "is no template"],
  ["v1/books", "is no template"],
  ["/v1/{book", "is none"],
  ["/v1/**/books", "has ** before its end"],
  ["/v1/{a}/{a}", "has a variable twice"],
  ["/".repeat(1_000_000), "has more than 1000 characters"],
])("is refused: %.20s", (text, why) => {
  expect(() => parseTemplate(text)).toThrow(why);
});
