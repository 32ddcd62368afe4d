import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FileTestOperator } from "../../config/spec.ts";
import { Fcache } from "../../fixtures/fcache.ts";
import { fileTestIn } from "./file-test.ts";
import { askOf } from "../../testing/ask.ts";

const operators: readonly FileTestOperator[] = ["-f", "-d", "-e", "-D", "-E", "!f", "!d", "!e"];

test.each([
  ["/file", ["-f", "-e", "-E", "!d"]],
  ["/a%20file", ["-f", "-e", "-E", "!d"]],
  ["/folder", ["-d", "-e", "-D", "-E", "!f"]],
  ["/folder/", ["-d", "-e", "-D", "-E", "!f"]],
  ["/", ["-D", "-E", "!f"]],
  ["/missing", ["!f", "!d", "!e"]],
  ["/file/below", ["!f", "!d", "!e"]],
  ["/folder%2Ffile", ["!f", "!d", "!e"]],
  ["*", ["!f", "!d", "!e"]],
])("%s passes %j and no other test", async (url, passed) => {
  await using root = await mkdtempDisposable(join(tmpdir(), "hemi-"));
  await writeFile(join(root.path, "file"), "");
  await writeFile(join(root.path, "a file"), "");
  await mkdir(join(root.path, "folder"));
  await writeFile(join(root.path, "folder", "file"), "");
  const fcache = new Fcache();
  const passes = fileTestIn(root.path, () => fcache);
  const ask = askOf(async (req, resp) => {
    const results: FileTestOperator[] = [];
    for (const operator of operators) if (await passes(req, operator)) results.push(operator);
    resp.sendJSON(results);
    return true;
  });
  const { text } = await ask({ url });
  expect(JSON.parse(text)).toEqual(passed);
  await fcache.shutdown();
});
