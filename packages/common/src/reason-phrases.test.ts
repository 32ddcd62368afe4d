import { expect, test } from "vitest";
import { reasonPhrase } from "./reason-phrases.ts";

test("names registered codes, and nothing else", () => {
  expect([reasonPhrase(200), reasonPhrase(421), reasonPhrase(299)]).toEqual(["OK", "Misdirected Request", ""]);
});
