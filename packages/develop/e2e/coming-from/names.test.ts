// What docs/coming-from.md calls by a name is there.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("what docs/coming-from.md calls by a name is there: components and props", async () => {
  const docs = fileURLToPath(new URL("../../../../docs/", import.meta.url));
  const page = await readFile(join(docs, "coming-from.md"), "utf8");
  const ours = page.split("\n").flatMap((line) => (line.startsWith("| ") ? (line.split(/(?<!\\)\|/)[2] ?? []) : []));
  expect(ours.length).toBeGreaterThan(90);
  const references = await Promise.all(
    (await readdir(join(docs, "reference"))).map(
      async (file) => [file, await readFile(join(docs, "reference", file), "utf8")] as const,
    ),
  );
  const missing = ours.flatMap((text) => [
    ...[...text.matchAll(/(?<![\w"])([a-z]\w+)(?: "\w+")? \{/gi)].flatMap(([, sign]) =>
      references.some(([file]) => file === `${sign}.md`) ? [] : [`${sign} {`],
    ),
    ...[...text.matchAll(/(?<=[ `])\.([a-z]\w+)/gi)].flatMap(([, prop]) =>
      references.some(([, page]) => page.includes(`[\`${prop}\`](#`)) ? [] : [`.${prop}`],
    ),
  ]);
  expect(missing.filter((name) => !/^\.(?:html|php)$/.test(name))).toEqual([]);
});
