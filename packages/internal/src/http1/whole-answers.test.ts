import { expect, test } from "vitest";
import { WholeAnswers } from "./whole-answers.ts";

const head = "HTTP/1.1 200 OK\r\n\r\n";

test("an answer is laid out when its head comes for the second time, and is the same buffer from then on", () => {
  const answers = new WholeAnswers();
  const content = Buffer.from("content");
  expect(answers.find(head, content, "date: 1")).toBeUndefined();
  const whole = answers.find(head, content, "date: 1");
  expect(whole?.toString()).toBe(head + "content");
  expect(answers.find(head, content, "date: 1")).toBe(whole);
  expect(answers.find(head, Buffer.from("content"), "date: 1")).toBeUndefined();
});

test("heads that differ each time are not laid out", () => {
  const answers = new WholeAnswers();
  const content = Buffer.from("content");
  for (let id = 0; id < 10; id++) expect(answers.find(`x-id: ${id}\r\n\r\n`, content, "date: 1")).toBeUndefined();
  expect(answers.size).toBe(0);
});

test("a new date forgets all, and changes nothing of what is on its way", () => {
  const answers = new WholeAnswers();
  const content = Buffer.from("content");
  const [, old] = [answers.find("old", content, "date: 1"), answers.find("old", content, "date: 1")];
  expect(answers.size).toBe("oldcontent".length);
  expect(answers.find("new", content, "date: 2")).toBeUndefined();
  expect(answers.size).toBe(0);
  expect(answers.find("new", content, "date: 2")?.toString()).toBe("newcontent");
  expect(old?.toString()).toBe("oldcontent");
});

test("another head lets go of what the last one took", () => {
  const answers = new WholeAnswers();
  const content = Buffer.from("content");
  for (const head of ["a", "a", "b", "b", "a", "a"]) answers.find(head, content, "date: 1");
  expect(answers.size).toBe("acontent".length);
});

test("what they take together is bounded, and large contents are left alone", () => {
  const answers = new WholeAnswers();
  const contents = Array.from({ length: 300 }, () => Buffer.alloc(60 * 1024));
  const find = (content: Buffer) => answers.find(head, content, "date: 1") ?? answers.find(head, content, "date: 1");
  const found = contents.map(find).filter((whole) => whole !== undefined);
  expect(found.length).toBeGreaterThan(100);
  expect(answers.size).toBe(found.length * (head.length + 60 * 1024));
  expect(answers.size).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect(find(Buffer.alloc(64 * 1024 + 1))).toBeUndefined();
});
