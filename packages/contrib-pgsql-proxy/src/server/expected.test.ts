import { expect, test } from "vitest";
import { closeComplete, parseComplete } from "../protocol/messages.ts";
import { Expected, type Ignored } from "./expected.ts";
import type { Statement } from "./statements.ts";

const statement: Statement = { name: "hemi_1", body: Buffer.alloc(0), terms: "", hasSideEffects: false, users: 1 };
const nothing: Ignored = { notPrepared: () => undefined, notEvicted: () => undefined, notGiven: () => undefined };
const letter = (text: string): number => text.charCodeAt(0);

test("an answer of the proxy comes in its turn, and one to its own request is dropped", () => {
  const expected = new Expected(nothing);
  expect(expected.add({ kind: "parse", statement, name: undefined })).toBeUndefined();
  expect(expected.add({ kind: "bind" })).toBeUndefined();
  expect(expected.add({ kind: "given", answer: closeComplete, name: "mine", statement })).toBeUndefined();
  expect(expected.add({ kind: "sync" })).toBeUndefined();
  expect(expected.answered(letter("1"))).toBe("drop");
  expect(expected.given()).toBeUndefined();
  expect(expected.answered(letter("2"))).toBe("pass");
  expect(expected.given()).toEqual(closeComplete);
  expect(expected.answered(letter("Z"))).toBe("pass");
  expect(expected.length).toBe(0);
  expect(expected.add({ kind: "given", answer: parseComplete, name: "mine", statement })).toEqual(parseComplete);
});

test("after an error, everything up to the next Sync is ignored by the server", () => {
  const lost: string[] = [];
  const ignored: Ignored = {
    notPrepared: ({ name }) => lost.push(`no ${name}`),
    notEvicted: (name) => lost.push(`still ${name}`),
    notGiven: (_, name) => lost.push(`not given ${name}`),
  };
  const expected = new Expected(ignored);
  expected.add({ kind: "bind" });
  expected.add({ kind: "close", evicts: "hemi_9" });
  expected.add({ kind: "parse", statement, name: "mine" });
  expected.add({ kind: "query" });
  expected.add({ kind: "sync" });
  expected.add({ kind: "query" });
  expect(expected.answered(letter("E"))).toBe("pass");
  expect(lost).toEqual(["no hemi_1", "still hemi_9"]);
  expect(expected.answered(letter("Z"))).toBe("pass");
  expect(expected.length).toBe(1);
});

test("nothing of the answer to a query of the proxy is passed on", () => {
  const expected = new Expected(nothing);
  expected.add({ kind: "own query" });
  expected.add({ kind: "query" });
  for (const type of ["T", "D", "C", "E", "Z"]) expect(expected.answered(letter(type))).toBe("drop");
  for (const type of ["C", "E"]) expect(expected.answered(letter(type))).toBe("pass");
  expect(expected.length).toBe(1);
});

test("what a client sends behind an error, before it knows of it, is not waited for", () => {
  const lost: string[] = [];
  const expected = new Expected({
    notPrepared: ({ name }, own) => lost.push(`no ${name} ${own}`),
    notEvicted: (name) => lost.push(`still ${name}`),
    notGiven: (_, name) => lost.push(`not given ${name}`),
  });
  expected.add({ kind: "bind" });
  expected.answered(letter("E"));
  expected.add({ kind: "parse", statement, name: undefined });
  expected.add({ kind: "close", evicts: "hemi_9" });
  expect(expected.add({ kind: "given", answer: parseComplete, name: "mine", statement })).toBeUndefined();
  expected.add({ kind: "execute" });
  expect([expected.length, expected.isOpen]).toEqual([0, true]);
  expected.add({ kind: "sync" });
  expected.answered(letter("Z"));
  expect([expected.length, expected.isOpen]).toEqual([0, false]);
  expect(lost).toEqual(["no hemi_1 undefined", "still hemi_9", "not given mine"]);
});

test("the Sync that a server in COPY FROM STDIN ignores is not waited for", () => {
  const expected = new Expected(nothing);
  expected.add({ kind: "execute" });
  expected.add({ kind: "sync" });
  expected.answered(letter("G"));
  expect(expected.length).toBe(1);
  expected.answered(letter("C"));
  expected.add({ kind: "sync" });
  expected.answered(letter("Z"));
  expect([expected.length, expected.isOpen]).toEqual([0, false]);
});

test("all that is sent behind the data of COPY FROM STDIN is waited for, even if it was sent at once", () => {
  const expected = new Expected(nothing);
  for (const kind of ["execute", "sync", "copy end", "sync", "query"] as const) expected.add({ kind });
  for (const type of ["G", "C"]) expected.answered(letter(type));
  expect(expected.length).toBe(2);
  expected.answered(letter("Z"));
  expect([expected.length, expected.isOpen, expected.isUncertain]).toEqual([1, true, false]);
  expected.answered(letter("Z"));
  expect([expected.length, expected.isOpen]).toEqual([0, false]);
});

test("a COPY that fails behind a Sync makes uncertain what follows, and one without such a Sync does not", () => {
  const certain = new Expected(nothing);
  certain.add({ kind: "execute" });
  for (const type of ["G", "E"]) certain.answered(letter(type));
  for (const kind of ["copy end", "sync"] as const) certain.add({ kind });
  certain.answered(letter("Z"));
  expect([certain.length, certain.isUncertain]).toEqual([0, false]);
  const uncertain = new Expected(nothing);
  uncertain.add({ kind: "execute" });
  uncertain.answered(letter("G"));
  uncertain.add({ kind: "sync" });
  uncertain.answered(letter("E"));
  expect(uncertain.isUncertain).toBe(true);
});

test("the end of data that no COPY waits for is not waited for either", () => {
  const expected = new Expected(nothing);
  expect(expected.add({ kind: "copy end" })).toBeUndefined();
  expect(expected.length).toBe(0);
  for (const kind of ["query", "copy end"] as const) expected.add({ kind });
  expected.answered(letter("Z"));
  expect([expected.length, expected.isOpen]).toEqual([0, false]);
});
