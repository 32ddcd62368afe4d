// `hemi cron`, and cronjobs of a program with several workers.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith, run } from "./command.ts";
import { serve } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

/** Each job says which process has run it. */
const config = `stage {
    moduleCronjob "note" { .schedule = "@yearly" .zone = "Europe/Berlin" .module = "./note.ts" }
    moduleCronjob "deadly" { .schedule = "@yearly" .module = "./deadly.ts" }
    commandCronjob "failing" {
        .schedule = "30 2 * * *"
        .zone = "Europe/Berlin"
        .command = ("/bin/sh", "-c", "echo no room is left >&2; exit 3")
    }
    commandCronjob "endless" { .schedule = "@yearly" .command = ("/bin/sh", "-c", "sleep 600 & wait") .timeout = 500ms }
    webapp "site" { .hostnames = ("*") rule { .returnText = "here" } }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;
const note = `import { appendFileSync } from "node:fs";
export default async function note(): Promise<void> {
  appendFileSync("notes", \`\${process.pid}\\n\`);
}
`;
const deadly = "export default () => process.exit(7);\n";
const files = { "hemi.conf": config, "note.ts": note, "deadly.ts": deadly };

test("hemi cron lists, previews and runs cronjobs, and tells how they ran", async () => {
  await using folder = await folderWith(files);
  await using program = await serve(folder.path);
  const cron = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run(["cron", ...args], { cwd: folder.path });
    return code === 0 ? stdout : `${String(code)} ${stdout}${stderr}`;
  };

  const listed = await cron("list");
  expect(listed).toMatch(
    /^NAME +SCHEDULE +ZONE +NEXT +LAST\nnote +@yearly +Europe\/Berlin +\d{4}-01-01 00:00:00 \+01:00, in /,
  );
  expect(await cron("preview", "--year", "2027", "failing")).toContain(
    "  2027-03-27 02:30:00 +01:00\n  2027-03-28 03:00:00 +02:00\n  2027-03-29 02:30:00 +02:00\n",
  );
  expect(await cron("run", "note")).toMatch(/ done \(command\)/);
  expect((await readFile(join(folder.path, "notes"), "utf8")).trim().split("\n")).toHaveLength(1);
  expect(await cron("run", "failing")).toMatch(
    /^2 .* failed \(command\).*: \/bin\/sh ended with exit code 3: no room is left/,
  );
  expect(await cron("run", "endless")).toMatch(/^2 .* aborted \(command\).*: it took longer than 500 ms/);
  const [job] = await program.call("cronHistory", { name: "failing" });
  expect(job?.runs).toMatchObject([{ outcome: "failed", cause: "command", attempts: 1 }]);
  expect(await cron("run", "nota")).toMatch(/^1 .*there is no cronjob nota; did you mean note\?/);
  expect(await cron("lisst")).toMatch(/did you mean list\?/);
  expect(await cron("run")).toMatch(/^1 .*takes the name of a cronjob/);
  await program.end();
});

test("a cronjob that ends its worker is not run again by the next one, and its history tells", async () => {
  await using folder = await folderWith(files);
  await using program = await serve(folder.path);
  await expect(program.call("cronRun", { name: "deadly" })).rejects.toThrow();
  await program.command.line(/worker 0 ended with exit code 7, and is replaced/);
  await expect
    .poll(async () => (await program.call("cronHistory", { name: "deadly" }))[0]?.runs.map(({ outcome }) => outcome))
    .toEqual(["died"]);
  // Its lock is free: another job, and this one, can run.
  expect(await program.call("cronRun", { name: "note" })).toMatchObject({ outcome: "done" });
  await expect(program.call("cronRun", { name: "deadly" })).rejects.toThrow();
  await program.end();
});
