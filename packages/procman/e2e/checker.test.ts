// The process that checks candidates: it is kept for the next check, as long as what it has loaded is up to date.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { serveIn } from "./programs.ts";

vi.setConfig({ testTimeout: 90_000 });

/** An addon of this sign. */
const pack = (sign: string): string => `
  import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
  import { part } from "./part.mjs";
  export default pack("test", [defineAddon({ sign: "${sign}", create: () => part })]);`;

const site = (sign: string): string => `stage {
  ${sign} "one" {}
  webapp "a" { .hostnames = ("*") rule { .returnText = "a" } }
  httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
}
`;

test("a check uses the present code of modules, also right after another check", async () => {
  await using folder = await folderWith({
    "hemi.conf": site("before"),
    "next.conf": site("after"),
    "part.mjs": "export const part = {};",
    "pack.mjs": pack("before"),
  });
  await using program = await serveIn(folder.path, "--use", "./pack.mjs");
  const plan = () => program.call("plan", { config: join(folder.path, "next.conf") });
  await program.call("reload");
  await expect(plan()).rejects.toThrow(/after/);
  await program.call("reload");
  await writeFile(join(folder.path, "pack.mjs"), pack("after"));
  // The running configuration is not valid with the new code any more, and what is wrong is said of it.
  await expect(plan()).rejects.toThrow(/before/);
  await writeFile(join(folder.path, "pack.mjs"), pack("before").replace('"before"', '"before", offers: []'));
  expect((await program.call("reload")).plan.changes).toEqual([]);
  await writeFile(join(folder.path, "part.mjs"), "export const part = (;");
  await expect(program.call("reload")).rejects.toThrow(/part\.mjs/);
  await program.end();
});
