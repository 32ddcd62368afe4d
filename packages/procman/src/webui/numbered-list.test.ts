import { expect, test } from "vitest";
import { NumberedList } from "./numbered-list.ts";

const texts = (list: NumberedList<{ readonly text: string }>, number: number): readonly string[] =>
  list.after(number).map(({ text }) => text);

test("whoever has seen some entries gets the later ones", () => {
  const list = new NumberedList<{ readonly text: string }>(3, 1000, ({ text }) => text.length);
  expect(texts(list, 0)).toEqual([]);
  for (const text of ["a", "b", "c", "d"]) list.add({ text });
  expect(texts(list, 0)).toEqual(["b", "c", "d"]);
  expect(texts(list, 3)).toEqual(["d"]);
  expect(texts(list, 4)).toEqual([]);
  expect(list.after(2)[0]).toEqual({ text: "c", number: 3 });
});

test("long entries drop as many old ones as they need", () => {
  const list = new NumberedList<{ readonly text: string }>(100, 10, ({ text }) => text.length);
  for (const text of ["aaaa", "bbbb", "cccccccc"]) list.add({ text });
  expect(texts(list, 0)).toEqual(["cccccccc"]);
  list.add({ text: "d".repeat(11) });
  expect(texts(list, 0)).toEqual([]);
});
