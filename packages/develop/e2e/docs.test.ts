// What the pages of docs/ show is run: configurations boot and are laid out as hemi fmt does it, programs compile and
// run, answers are as told.

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bootText, type ConfigError, formatConfig, isPack, MemorySink, openErrorLog } from "@hemi/hemi";
import { describe, expect, test } from "vitest";
import { programFolder, root } from "./program-folder.ts";

const docs = new URL("../../../docs/", import.meta.url);

interface Block {
  readonly language: string;
  readonly text: string;
}

async function blocksOf(page: string): Promise<readonly Block[]> {
  const text = await readFile(new URL(page, docs), "utf8");
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Pages whose blocks that begin with a stage are configurations of the standard pack. */
const configured = [
  "configuration.md",
  "requests.md",
  "layer4.md",
  "cache.md",
  "limits.md",
  "locks.md",
  "cronjobs.md",
  "logs-elsewhere.md",
];

/** A configuration that shows mistakes is followed by what is printed of them. */
async function configurations(): Promise<readonly { readonly text: string; readonly printed: string | undefined }[]> {
  const blocks = (await Promise.all(configured.map(blocksOf))).flat();
  return blocks.flatMap(({ language, text }, index) => {
    const next = blocks[index + 1];
    return language === "" && /^(?:\/\/.*\n)?stage \{/.test(text)
      ? [{ text, printed: next?.language === "console" ? next.text : undefined }]
      : [];
  });
}

describe("the configurations of docs/", async () => {
  test.each(await configurations())("%# does what the page says", async ({ text, printed }) => {
    const log = openErrorLog({ sink: new MemorySink() });
    const booted = bootText(text, { name: "shop.conf", env: {}, log });
    if (printed === undefined) {
      await using stage = await booted;
      expect(stage.state).toBe("created");
    } else {
      const error: unknown = await booted.catch((error: unknown) => error);
      expect(`${(error as ConfigError).message}\n`).toBe(printed);
    }
    expect(formatConfig(text, "shop.conf")).toEqual({ text, problems: [] });
  });
});

describe("the programs of docs/", () => {
  test("boot-tree.md, requests.md, layer4.md and cronjobs.md compile, and run", { timeout: 180_000 }, async () => {
    await using folder = await programFolder();
    const pages = ["boot-tree.md", "requests.md", "layer4.md", "cronjobs.md"];
    const programs = (await Promise.all(pages.map(blocksOf))).flat().filter(({ language }) => language === "ts");
    expect(programs.length).toBeGreaterThan(2);
    const files = programs.map((_program, index) => join(folder.path, `program-${index}.ts`));
    for (const [index, { text }] of programs.entries()) await writeFile(files[index]!, text);
    const options = { extends: join(root, "tsconfig.base.json"), compilerOptions: { noEmit: true }, files };
    await writeFile(join(folder.path, "tsconfig.json"), JSON.stringify(options));
    const runFile = promisify(execFile);
    // Against the built types, which are quicker to read than the sources.
    await runFile(join(root, "node_modules/.bin/tsc"), ["-p", folder.path, "--customConditions", "null"]);
    await Promise.all(files.map((file) => runFile(process.execPath, ["--conditions=@hemi/source", file])));
  });

  test("the app of requests.md answers as its table says", async () => {
    await using folder = await programFolder();
    const [app] = (await blocksOf("requests.md")).filter(({ language }) => language === "ts");
    const file = join(folder.path, "app.ts");
    await writeFile(file, app?.text ?? "");
    const module = (await import(pathToFileURL(file).href)) as { default: unknown };
    if (!isPack(module.default)) throw new Error("the app exports no pack");
    const log = openErrorLog({ sink: new MemorySink() });
    const config = `stage {
      webapp "w" { .hostnames = ("*") rule { app {} } }
      httpxServer "s" { .webapps = ("w") .address = "127.0.0.1:0" }
    }`;
    await using stage = await bootText(config, { use: [module.default], log });
    await stage.start();
    const page = await readFile(new URL("requests.md", docs), "utf8");
    const rows = [...page.matchAll(/^\| `([A-Z]+) (\S+)`(?: with `(.+?)`)? +\| (\d+)(?: `(.+?)`)? +\|$/gm)];
    expect(rows.length).toBeGreaterThan(5);
    for (const [row, method = "", url = "", content, status, text = ""] of rows) {
      const headers = { "content-type": "application/json" };
      const answer = await stage.inject({ method, url, ...(content !== undefined && { content, headers }) });
      expect({ row, status: answer.status, text: answer.text.trim() }).toEqual({ row, status: Number(status), text });
    }
  });
});
