// A component whose prepare never ends, in a reload.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { serve } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const pack = `import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
  export default pack("test", [defineAddon({ sign: "endless", create: ({ workers }) => ({
    prepare: () => workers.slot === 1 ? new Promise(() => {}) : undefined,
  }) })]);`;

const site = (text: string, more = ""): string => `stage {
  ${more}
  webapp "a" { .hostnames = ("*") rule { .returnText = "${text}" } }
  httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
}
`;

test("a reload gives up a prepare that never ends, and the next one works", async () => {
  await using folder = await folderWith({ "hemi.conf": site("one"), "pack.mjs": pack });
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  await writeFile(join(folder.path, "hemi.conf"), site("two", 'endless "one" {}'));
  await expect(program.call("reload")).rejects.toThrow(/was not prepared within 30000 ms/);
  const ask = async () =>
    (await fetch(`http://127.0.0.1:${program.port}/`, { headers: { connection: "close" } })).text();
  expect(await ask()).toBe("one");
  await writeFile(join(folder.path, "hemi.conf"), site("three"));
  await program.call("reload");
  expect(new Set(await Promise.all(Array.from({ length: 16 }, ask)))).toEqual(new Set(["three"]));
  await program.end();
});
