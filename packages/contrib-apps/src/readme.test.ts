import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import apps from "./index.ts";

test("the configuration in the README boots, and its properties are those that there are", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(readme) ?? [];
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-apps-"));
  await writeFile(join(folder.path, "app.ts"), 'export default () => new Response("from the app");');
  await using stage = await bootWith([apps]).bootText(config.replace("127.0.0.1:3080", "127.0.0.1:0"), {
    baseDir: folder.path,
    log: openErrorLog({ sink: new MemorySink() }),
  });
  await stage.start();
  expect((await stage.inject({ url: "/api/hello" })).text).toBe("from the app");
  for (const name of ["module", "passHeader", "passOn"]) expect(readme).toContain(`| \`${name}\``);
});
