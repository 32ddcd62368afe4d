// What docs/coming-from.md shows of messages is what is said, to the letter.

import { readFile } from "node:fs/promises";
import { bootText, ConfigError, MemorySink, openErrorLog, problemsText, type Problem } from "@hemi/hemi";
import { expect, test } from "vitest";

const page = await readFile(new URL("../../../../docs/coming-from.md", import.meta.url), "utf8");
const shown = [...page.matchAll(/^```\n(stage.*?)^```\n\n```console\n(.*?)^```$/gms)].map(
  ([, text = "", said = ""]) => ({
    text,
    said,
  }),
);

/** What `hemi check` prints of mistakes and warnings. */
async function toldOf(text: string): Promise<string> {
  const doubts: Problem[] = [];
  try {
    await using stage = await bootText(text, {
      name: "shop.conf",
      env: {},
      log: openErrorLog({ sink: new MemorySink() }),
      warned: (found) => doubts.push(...found),
    });
    expect(stage.state).toBe("created");
    return problemsText(doubts);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

test("two configurations are shown with what is said of them", () => {
  expect(shown.length).toBe(2);
});

test.each(shown)("%#", async ({ text, said }) => {
  expect(`${await toldOf(text)}\n`).toBe(said);
});
