import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith, run, start } from "./command.ts";

const conf = `stage {
    webapp "app" { .hostnames = ("*") rule { fetchHandlet { .module = "app.ts" } } }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
}
`;
const propPlace = `hemi.conf:2:71 HEMI_MODULE: the module `;

const faults = [
  {
    what: "a syntax error in TypeScript",
    text: "const a = 1;\nconst b: number = ;\n",
    reason: "Expression expected",
    place: `:2:19\n    2 | const b: number = ;\n      |                   ^\n`,
  },
  {
    what: "a syntax error that only the engine finds",
    text: "let a = 1;\n  let a = 2;\n",
    reason: "Identifier 'a' has already been declared",
    place: `:2:7\n    2 |   let a = 2;\n      |       ^\n`,
  },
  {
    what: "a missing file",
    text: 'import "node:fs";\nimport { b } from "./none.ts";\n',
    reason: "Cannot find module",
    place: `:2:19\n    2 | import { b } from "./none.ts";\n      |                   ^^^^^^^^^^^\n`,
  },
  {
    what: "a missing package",
    text: 'import { b } from "no-such-package/sub";\n',
    reason: "Cannot find package 'no-such-package'",
    place: `:1:19\n    1 | import { b } from "no-such-package/sub";\n      |                   ^^^^^^^^^^^^^^^^^^^^^\n`,
  },
  {
    what: "a missing export",
    text: 'import { nothing } from "node:fs";\n',
    reason: "does not provide an export named 'nothing'",
    place: `:1:10\n    1 | import { nothing } from "node:fs";\n      |          ^`,
  },
];

const isModule = '{ "type": "module" }';

describe("a module that cannot be loaded", () => {
  test.each(faults)("$what has its place, at the prop", async ({ text, reason, place }) => {
    await using folder = await folderWith({ "hemi.conf": conf, "app.ts": text, "package.json": isModule });
    for (const command of ["serve", "check"]) {
      const { code, stderr } = await run([command], { cwd: folder.path });
      expect(code).toBe(1);
      expect(stderr).toContain(propPlace);
      expect(stderr).toContain(reason);
      expect(stderr).toContain(`${join(folder.path, "app.ts")}${place}`);
      expect(stderr.split("cannot be loaded")).toHaveLength(2);
    }
  });

  test.each(faults)("$what has its place, at --use", async ({ text, reason, place }) => {
    await using folder = await folderWith({ "hemi.conf": conf, "ext.ts": text, "package.json": isModule });
    const { code, stderr } = await run(["serve", "--use", "ext.ts"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain("hemi: --use ext.ts cannot be loaded: ");
    expect(stderr).toContain(reason);
    expect(stderr).toContain(`${join(folder.path, "ext.ts")}${place}`);
  });

  test("has the place of what it threw, and the stack without frames of ours", async () => {
    const lib = 'export function run() {\n  throw new Error("no luck");\n}\n';
    const app = 'import { run } from "./lib.ts";\nrun();\n';
    await using folder = await folderWith({
      "hemi.conf": conf,
      "app.ts": app,
      "lib.ts": lib,
      "package.json": isModule,
    });
    const { stderr } = await run(["serve"], { cwd: folder.path });
    const shown = stderr.slice(stderr.indexOf(join(folder.path, "lib.ts")));
    expect(shown.replaceAll(folder.path, "")).toBe(`/lib.ts:2:9
    2 |   throw new Error("no luck");
      |         ^
    at run (file:///lib.ts:2:9)
    at file:///app.ts:2:1
`);
  });

  test.each([
    ["app.ts", "app.mts"],
    ["app.js", "app.mjs"],
  ])("because its package holds CommonJS, as npm init makes it (%s), names the fix", async (name, other) => {
    await using folder = await folderWith({
      "hemi.conf": conf.replace("app.ts", name),
      [name]: 'import "node:fs";\nexport default { fetch: () => new Response("hi") };\n',
      "package.json": '{ "type": "commonjs" }',
    });
    for (const command of [["serve"], ["check"], ["serve", "--use", name]]) {
      const { code, stderr } = await run(command, { cwd: folder.path });
      expect(code).toBe(1);
      expect(stderr).toContain(`(npm pkg set type=module), or name the file ${other}`);
    }
  });
});

describe("a mistake of a module that is made often names its fix:", () => {
  test.each<[what: string, files: Record<string, string>, fix: string]>([
    [
      "CommonJS in a file of ES modules",
      { "app.js": "module.exports = () => {};\n" },
      "name the file app.cjs, or write",
    ],
    ["require in a file of ES modules", { "app.js": 'require("node:fs");\n' }, "name the file app.cjs, or write"],
    ["an import without extension", { "app.js": 'import "./lib";\n', "lib.js": "" }, "write …/lib.js"],
    ["an import of what a compiler would write", { "app.ts": 'import "./lib.js";\n', "lib.ts": "" }, "write …/lib.ts"],
    ["JSON", { "app.js": 'import "./a.json";\n', "a.json": "{}" }, 'with { type: "json" }'],
    ["an enum", { "app.ts": "enum Size { Big }\n" }, "erasableSyntaxOnly"],
  ])("%s", async (_what, files, fix) => {
    const name = "app.js" in files ? "app.js" : "app.ts";
    const text = conf.replace("app.ts", name);
    await using folder = await folderWith({ "hemi.conf": text, "package.json": isModule, ...files });
    const { code, stderr } = await run(["serve"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain(fix);
  });
});

describe("hemi check", () => {
  test("evaluates nothing of the modules that it reads, nor of what they import", async () => {
    await using folder = await folderWith({
      "hemi.conf": conf,
      "app.ts": 'import "./lib.ts";\nimport "pack";\nthrow new Error("it ran");\n',
      "lib.ts": 'import { writeFileSync } from "node:fs";\nwriteFileSync("ran", "");\n',
      "package.json": isModule,
    });
    await mkdir(join(folder.path, "node_modules", "pack"), { recursive: true });
    await writeFile(join(folder.path, "node_modules", "pack", "index.js"), 'console.log("it ran");');
    expect(await run(["check"], { cwd: folder.path })).toEqual({ code: 0, stdout: "PASS\n", stderr: "" });
  });

  test("passes a module whose package does not say what it holds", async () => {
    await using folder = await folderWith({ "hemi.conf": conf, "app.ts": "export default () => new Response();\n" });
    expect(await run(["check"], { cwd: folder.path })).toMatchObject({ code: 0, stdout: "PASS\n" });
    await using command = start(["serve"], { cwd: folder.path });
    await command.line(/listens on/);
  });
});
