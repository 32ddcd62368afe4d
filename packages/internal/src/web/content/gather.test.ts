import { expect, test } from "vitest";
import { gather } from "./gather.ts";

/** Content of these pieces, and whether all of it was left. */
function contentOf(...texts: readonly string[]) {
  const content = {
    isLeft: false,
    async *[Symbol.asyncIterator]() {
      try {
        for (const text of texts) yield await Promise.resolve(Buffer.from(text));
      } finally {
        content.isLeft = true;
      }
    },
  };
  return content;
}

test("content up to the size is one piece", async () => {
  expect(await gather(contentOf("ab", "cd"), 4)).toEqual(Buffer.from("abcd"));
  expect(await gather(contentOf(), 0)).toHaveLength(0);
});

test("of larger content, what was gathered comes before the rest", async () => {
  const content = contentOf("ab", "cd", "ef", "gh");
  const pieces = await gather(content, 3);
  if (pieces instanceof Uint8Array) throw new Error("it is too large for that");
  const texts: string[] = [];
  for await (const piece of pieces) texts.push(String(piece));
  expect(texts).toEqual(["abcd", "ef", "gh"]);
  expect(content.isLeft).toBe(true);
});

test("whoever reads no further leaves the rest", async () => {
  const content = contentOf("ab", "cd", "ef");
  const pieces = await gather(content, 3);
  if (pieces instanceof Uint8Array) throw new Error("it is too large for that");
  for await (const piece of pieces) if (String(piece) === "abcd") break;
  expect(content.isLeft).toBe(true);
});
