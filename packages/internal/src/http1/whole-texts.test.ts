import { expect, test } from "vitest";
import { WholeTexts } from "./whole-texts.ts";

const head = { status: 200, fieldList: ["a", "1"] };
const date = "date: 1";

/** Asks as an exchan does. Returns whether the answer was there. */
function ask(texts: WholeTexts, content: string, { asked = head, dateLine = date } = {}): boolean {
  const text = `${asked.status} ${asked.fieldList.join()} ${dateLine} ${content}`;
  const found = texts.find(asked, content, dateLine);
  if (found === undefined) texts.keep(asked, content, dateLine, text);
  else expect(found).toBe(text);
  return found !== undefined;
}

function times(count: number, one: () => boolean): boolean[] {
  return Array.from({ length: count }, one);
}

test("an answer is found when it comes again, by what it says", () => {
  const texts = new WholeTexts();
  expect(times(4, () => ask(texts, "content"))).toEqual([false, true, true, true]);
  expect(ask(texts, "con" + "tent".slice(0), { asked: { status: 200, fieldList: ["a", "1"] } })).toBe(true);
});

test("answers that share a place, or differ in status, fields or date, are not taken for each other", () => {
  const texts = new WholeTexts();
  const heads = [head, { status: 404, fieldList: ["a", "1"] }, { status: 200, fieldList: ["a", "2"] }];
  const more = [...heads, { status: 200, fieldList: [] }, { status: 200, fieldList: ["a", "1", "b", "2"] }];
  for (let i = 0; i < 400; i++) {
    const asked = more[(i * 7) % more.length] ?? head;
    const dateLine = i % 50 < 40 ? "date: 1" : "date: 2";
    ask(texts, ["content", "CONTENT", "", "x"][(i * 11) % 4] ?? "", { asked, dateLine });
  }
});

test("a list that is changed once it was sent is another head", () => {
  const texts = new WholeTexts();
  const fieldList = ["a", "1"];
  const asked = { status: 200, fieldList };
  expect(times(3, () => ask(texts, "content", { asked }))).toEqual([false, true, true]);
  fieldList[1] = "2";
  expect(ask(texts, "content", { asked })).toBe(false);
});

test("contents and heads that differ each time are not kept", () => {
  const texts = new WholeTexts();
  for (let id = 100; id < 200; id++) expect(ask(texts, `content ${id}`)).toBe(false);
  for (let id = 100; id < 200; id++) {
    expect(ask(texts, "content", { asked: { status: 200, fieldList: ["id", String(id)] } })).toBe(false);
  }
});

test("a new date makes a new answer", () => {
  const texts = new WholeTexts();
  times(3, () => ask(texts, "content"));
  expect(times(3, () => ask(texts, "content", { dateLine: "date: 2" }))).toEqual([false, true, true]);
});

test("long texts and long heads are left alone", () => {
  const texts = new WholeTexts();
  expect(times(4, () => ask(texts, "x".repeat(1025)))).toEqual([false, false, false, false]);
  const asked = { status: 200, fieldList: Array<string>(34).fill("a") };
  expect(times(4, () => ask(texts, "content", { asked }))).toEqual([false, false, false, false]);
});
