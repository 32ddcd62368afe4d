import { expect, test } from "vitest";
import { WholeResponses } from "./whole-responses.ts";

const head = { status: 200, fieldList: ["a", "1"] };
const text = "HTTP/1.1 200 OK\r\na: 1\r\n\r\n";

/** Asks as an exchan does. */
function ask(answers: WholeResponses, content: Buffer, { asked = head, text: itsText = text, date = "date: 1" } = {}) {
  return answers.find(asked, content, date) ?? answers.layOut(asked, itsText, content);
}

/** Fields of its own each time, though they say the same. */
function copyOfHead() {
  return { status: 200, fieldList: [...head.fieldList] };
}

test("an answer is laid out when its head comes for the second time, and is the same buffer from then on", () => {
  const answers = new WholeResponses();
  const content = Buffer.from("content");
  expect(ask(answers, content)).toBeUndefined();
  const whole = ask(answers, content);
  expect(whole?.toString()).toBe(text + "content");
  expect(ask(answers, content, { asked: copyOfHead() })).toBe(whole);
  expect(ask(answers, Buffer.from("content"))).toBeUndefined();
});

test("one list of fields stands for the head, with the same status and date only", () => {
  const answers = new WholeResponses();
  const content = Buffer.from("content");
  expect(answers.find(head, content, "date: 1")).toBeUndefined();
  ask(answers, content);
  expect(answers.find(head, content, "date: 1")).toBeUndefined();
  const whole = ask(answers, content);
  expect(answers.find(head, content, "date: 1")).toBe(whole);
  expect(answers.find({ ...head, status: 203 }, content, "date: 1")).toBeUndefined();
  expect(answers.find(copyOfHead(), content, "date: 1")).toBeUndefined();
  expect(answers.find(head, content, "date: 2")).toBeUndefined();
  expect(answers.find(head, content, "date: 1")).toBeUndefined();
});

test("a list whose head is another one by now is not found with what went out in between", () => {
  const answers = new WholeResponses();
  const content = Buffer.from("content");
  const other = { asked: { status: 200, fieldList: ["a", "2"] }, text: "other" };
  for (let i = 0; i < 2; i++) ask(answers, content);
  for (let i = 0; i < 2; i++) ask(answers, content, other);
  expect(answers.find(head, content, "date: 1")).toBeUndefined();
  expect(ask(answers, content, other)?.toString()).toBe("othercontent");
});

test("heads that differ each time are not laid out", () => {
  const answers = new WholeResponses();
  const content = Buffer.from("content");
  for (let id = 0; id < 10; id++) {
    expect(ask(answers, content, { asked: copyOfHead(), text: `x-id: ${id}\r\n\r\n` })).toBeUndefined();
  }
  expect(answers.size).toBe(0);
});

test("a new date forgets all, and changes nothing of what is on its way", () => {
  const answers = new WholeResponses();
  const content = Buffer.from("content");
  const first = { text: "old", date: "date: 1" };
  const [, old] = [ask(answers, content, first), ask(answers, content, first)];
  expect(answers.size).toBe("oldcontent".length);
  const second = { text: "new", date: "date: 2" };
  expect(ask(answers, content, second)).toBeUndefined();
  expect(answers.size).toBe(0);
  expect(ask(answers, content, second)?.toString()).toBe("newcontent");
  expect(old?.toString()).toBe("oldcontent");
});

test("another head lets go of what the last one took", () => {
  const answers = new WholeResponses();
  const content = Buffer.from("content");
  for (const text of ["a", "a", "b", "b", "a", "a"]) ask(answers, content, { asked: copyOfHead(), text });
  expect(answers.size).toBe("acontent".length);
});

test("what they take together is bounded, and large contents are left alone", () => {
  const answers = new WholeResponses();
  const contents = Array.from({ length: 300 }, () => Buffer.alloc(60 * 1024));
  const find = (content: Buffer) => ask(answers, content) ?? ask(answers, content);
  const found = contents.map(find).filter((whole) => whole !== undefined);
  expect(found.length).toBeGreaterThan(100);
  expect(answers.size).toBe(found.length * (text.length + 60 * 1024));
  expect(answers.size).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect(find(Buffer.alloc(64 * 1024 + 1))).toBeUndefined();
});
