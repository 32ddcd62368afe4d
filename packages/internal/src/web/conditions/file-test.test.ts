import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FileTestOperator } from "../../config/spec.ts";
import { Fcache } from "../../fixtures/fcache.ts";
import { templateOf, type TemplatePart } from "../../component/template.ts";
import { fileTestsIn } from "./file-test.ts";
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
  const tests = fileTestsIn(root.path, () => fcache);
  const ask = askOf(async (req, resp) => {
    const results: FileTestOperator[] = [];
    for (const operator of operators) if (await tests({ operator })(req)) results.push(operator);
    resp.sendJSON(results);
    return true;
  });
  const { text } = await ask({ url });
  expect(JSON.parse(text)).toEqual(passed);
  await fcache.shutdown();
});

test.each<[url: string, parts: readonly TemplatePart[], passed: readonly FileTestOperator[]]>([
  ["/none", ["/file"], ["-f", "-e", "-E", "!d"]],
  ["/", ["/folder"], ["-d", "-e", "-D", "-E", "!f"]],
  ["/x", ["/missing"], ["!f", "!d", "!e"]],
  ["/file", [{ variable: "path" }, ".html"], ["!f", "!d", "!e"]],
  ["/folder/page", [{ variable: "path" }, ".html"], ["-f", "-e", "-E", "!d"]],
  ["/folder%2Fpage", [{ variable: "path" }, ".html"], ["!f", "!d", "!e"]],
  ["/?name=file", ["/", { variable: "query_name" }], ["-f", "-e", "-E", "!d"]],
  ["/?name=folder/page.html", ["/", { variable: "query_name" }], ["!f", "!d", "!e"]],
  ["/?name=..", ["/folder/", { variable: "query_name" }], ["!f", "!d", "!e"]],
])("asked for %s, the file of %j passes %j and no other test", async (url, parts, passed) => {
  await using root = await mkdtempDisposable(join(tmpdir(), "hemi-"));
  await writeFile(join(root.path, "file"), "");
  await mkdir(join(root.path, "folder"));
  await writeFile(join(root.path, "folder", "page.html"), "");
  const fcache = new Fcache();
  const tests = fileTestsIn(undefined, () => fcache);
  const ask = askOf(async (req, resp) => {
    const results: FileTestOperator[] = [];
    const template = templateOf([root.path, ...parts]);
    for (const operator of operators) if (await tests({ operator, template })(req)) results.push(operator);
    resp.sendJSON(results);
    return true;
  });
  const { text } = await ask({ url });
  expect(JSON.parse(text)).toEqual(passed);
  await fcache.shutdown();
});
