// The process that checks candidates: it is kept for the next check, as long as what it has loaded is up to date.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { serve } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

/** An addon whose sign is in a module that the pack imports. */
const pack = `import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
  import { sign } from "./sign.mjs";
  export default pack("test", [defineAddon({ sign, create: () => ({}) })]);`;

const site = (sign: string): string => `stage {
  ${sign} "one" {}
  webapp "a" { .hostnames = ("*") rule { .returnText = "a" } }
  httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
}
`;

test("a check uses the present code of modules, also right after another check", async () => {
  await using folder = await folderWith({
    "hemi.conf": site("before"),
    "sign.mjs": 'export const sign = "before";',
    "pack.mjs": pack,
  });
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  expect((await program.call("reload")).plan.changes).toEqual([]);
  await writeFile(join(folder.path, "sign.mjs"), 'export const sign = "after";');
  // The configuration is not valid with the new code any more.
  await expect(program.call("plan")).rejects.toThrow(/before/);
  await program.end();
});
