import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { errorCodes, type ErrorCode } from "./codes.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

function* sources(folder: string): Iterable<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === "dist" || entry.name === "testing") continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(path);
    else if (/(?<!\.test)\.ts$/.test(entry.name) && entry.name !== "codes.ts") yield readFileSync(path, "utf8");
  }
}

test("the table, the docs and the code have the same codes", () => {
  const inTable = Object.keys(errorCodes).toSorted();
  const docs = readFileSync(`${root}docs/errors.md`, "utf8");
  const inDocs = [...docs.matchAll(/^\| `(HEMI_\w+)`\s+\| (.*?)\s+\|$/gm)];
  expect(inDocs.map(([, code]) => code).toSorted()).toEqual(inTable);
  for (const [, code, meaning] of inDocs) expect(meaning).toBe(errorCodes[code as ErrorCode]);

  const inCode = new Set<string>();
  for (const text of sources(`${root}packages`))
    for (const [code] of text.matchAll(/HEMI_[A-Z]+(?:_[A-Z]+)*/g)) inCode.add(code);
  const unused = inTable.filter((code) => !inCode.has(code));
  expect(unused).toEqual([]);
});
