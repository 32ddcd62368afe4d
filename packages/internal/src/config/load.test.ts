// The ways of files on a real disk; what includes mean is in the golden files.

import { mkdir, mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, problemsText } from "./config-error.ts";
import { loadConfig, type Loaded } from "./load.ts";

async function loadFrom(
  files: Readonly<Record<string, string | Uint8Array>>,
  load: (folder: string) => Promise<Loaded>,
): Promise<Loaded & { folder: string }> {
  await using folder = await mkdtempDisposable(path.join(os.tmpdir(), "hemi-load-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder.path, name)), { recursive: true });
    await writeFile(path.join(folder.path, name), content);
  }
  return { ...(await load(folder.path)), folder: folder.path };
}

function messages({ problems, folder }: Loaded & { folder: string }): string[] {
  return problems.map(({ message }) => message.replaceAll(folder, "FOLDER"));
}

describe("loadConfig", () => {
  test("counts a byte-order mark as no column, and shows it nowhere", async () => {
    const loaded = await loadConfig({ text: "\ufeffstage { .a = }" });
    expect(problemsText(loaded.problems)).toBe(
      ["<text>:1:9 HEMI_CONFIG_SYNTAX: .a has no value", "    1 | stage { .a = }", "      |         ^^"].join("\n"),
    );
    const empty = await loadConfig({ text: "\ufeff" });
    expect(empty.problems.map(({ span }) => [span.start, span.end])).toEqual([[0, 0]]);
  });

  test("includes from the base directory, in name order, and tells all files", async () => {
    const loaded = await loadFrom(
      {
        "conf/main.conf": "stage { <apps/*.conf> <props.conf> }",
        "apps/b.conf": 'webapp "b" {}',
        "apps/a.conf": '\ufeffwebapp "a" {}',
        "apps/.hidden.conf": "not a configuration",
        "apps/folder.conf/x": "",
        "props.conf": '.site = "ä"',
      },
      (folder) => loadConfig({ file: path.join(folder, "conf/main.conf"), baseDir: folder }),
    );
    expect(messages(loaded)).toEqual([]);
    expect(loaded.spec?.children.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(loaded.spec?.props.map(({ value }) => value.type === "string" && value.value)).toEqual(["ä"]);
    const inFolder = ["conf/main.conf", "apps/a.conf", "apps/b.conf", "props.conf"];
    expect(loaded.files).toEqual(inFolder.map((name) => path.join(loaded.folder, name)));
  });

  test("finds patterns in a base directory whose own name looks like one", async () => {
    const loaded = await loadFrom({ "[x]*/apps/a.conf": 'webapp "a" {}' }, (folder) =>
      loadConfig({ text: "stage { <apps/*.conf> }", baseDir: path.join(folder, "[x]*") }),
    );
    expect(loaded.spec?.children.length).toBe(1);
  });

  test("says why a file cannot be included", async () => {
    const loaded = await loadFrom({ "folder/x": "", "latin1.conf": Uint8Array.of(0x2e, 0xe4), file: "" }, (folder) =>
      loadConfig({
        text: "stage { <folder> <latin1.conf> <missing.conf> <file/x.conf> <*/none.conf> }",
        baseDir: folder,
      }),
    );
    expect(messages(loaded)).toEqual([
      "FOLDER/folder cannot be included: it is a directory",
      "FOLDER/latin1.conf cannot be included: it is not UTF-8",
      "FOLDER/missing.conf cannot be included: there is no such file",
      "FOLDER/file/x.conf cannot be included: there is no such file",
    ]);
    expect(loaded.files.map((file) => path.relative(loaded.folder, file))).toContain("missing.conf");
  });

  test("calls included files by the path as it is written, if the base directory is the working directory", async () => {
    const { problems } = await loadConfig({ text: "stage { <no/such/file.conf> }" });
    expect(problems.map(({ message, hint }) => [message, hint])).toEqual([
      ["no/such/file.conf cannot be included: there is no such file", `this is ${path.resolve("no/such/file.conf")}`],
    ]);
    expect(new ConfigError(problems).message).toContain("<text>:1:9 HEMI_CONFIG_INCLUDE");
  });

  test("ends with a circle through a symbolic link", async () => {
    const loaded = await loadFrom({ "a.conf": "<link.conf>" }, async (folder) => {
      await symlink("a.conf", path.join(folder, "link.conf"));
      return loadConfig({ text: "stage { <a.conf> }", baseDir: folder });
    });
    expect(messages(loaded)).toEqual(["FOLDER/link.conf includes itself: FOLDER/link.conf includes FOLDER/link.conf"]);
  });

  test("stops when files include each other over and over without a circle", async () => {
    const texts = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`/${n}.conf`, `</${n + 1}.conf> </${n + 1}.conf>`]),
    );
    const files = {
      read: async (location: string) => texts[location] ?? "",
      glob: async () => [],
    };
    const { problems } = await loadConfig({ text: "stage { </0.conf> }", files });
    expect(problems.map(({ message }) => message)).toContain("more than 10000 inclusions");
  });

  test("stops when files include each other too deep", async () => {
    const files = {
      read: async (location: string) => `a { </${Number(path.basename(location)) + 1}> }`.replace("</500>", ""),
      glob: async () => [],
    };
    const { problems } = await loadConfig({ text: "stage { </0> }", files });
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining("more than 100 levels deep")]);
  });

  test("takes a failing search for a problem of the include", async () => {
    const files = { read: async () => "", glob: () => Promise.reject(new Error("the disk is gone")) };
    const { problems } = await loadConfig({ text: "stage { <*.conf> }", files });
    expect(problems.map(({ message }) => message)).toEqual(["*.conf cannot be included: the disk is gone"]);
  });

  test("throws if the main file cannot be read", async () => {
    await expect(loadConfig({ file: "no/such.conf" })).rejects.toMatchObject({
      code: "HEMI_FILE",
      message: "no/such.conf cannot be read: there is no such file",
    });
  });
});
