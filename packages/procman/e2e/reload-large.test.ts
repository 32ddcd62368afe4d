// A reload of 10,000 rules, in all workers.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { load } from "./load.ts";
import { ask, serve } from "./program.ts";

vi.setConfig({ testTimeout: 120_000 });

const count = 10_000;

/** One rule for each path; the text of one of them may differ. */
function site(changed?: { readonly rule: number; readonly text: string }): string {
  const rules = Array.from({ length: count }, (_, i) => {
    const text = i === changed?.rule ? changed.text : `rule ${i}`;
    return `rule "r${i}" $path == "/${i}" { .returnText = "${text}" }`;
  });
  return `stage {
  webapp "many" {
    .hostnames = ("*")
    ${rules.join("\n    ")}
    rule { .returnText = "none of them" }
  }
  httpxServer "main" { .webapps = ("many") .address = "127.0.0.1:0" }
}
`;
}

test("a reload of 10,000 rules with one changed is followed by all workers, which serve meanwhile", async () => {
  await using folder = await folderWith({ "hemi.conf": site() });
  await using program = await serve(folder.path);
  const memory = async (): Promise<number> => (await program.call("leader")).rss;
  const memoryAtFirst = await memory();
  const answersTo = async (path: string): Promise<readonly string[]> => {
    const texts = await Promise.all(Array.from({ length: 16 }, () => ask(program.port, path)));
    return [...new Set(texts)];
  };
  expect(await answersTo("/9999")).toEqual(["rule 9999"]);
  const requests = load(program.port, { kept: 2, anew: 1, path: "/5000" });

  await writeFile(join(folder.path, "hemi.conf"), site({ rule: 7000, text: "another one" }));
  const before = requests.answered;
  const report = await program.call("reload");
  expect(report.plan.changes.map(({ path }) => path)).toEqual(["webapp.many", "webapp.many/rule.r7000"]);
  expect(report.plan.kept).toBeGreaterThanOrEqual(count);
  expect(requests.answered).toBeGreaterThan(before);
  expect(await answersTo("/7000")).toEqual(["another one"]);
  expect(await answersTo("/6999")).toEqual(["rule 6999"]);
  expect(await answersTo("/nothing")).toEqual(["none of them"]);

  // Two times as many changes as a message of the control socket can list.
  await writeFile(join(folder.path, "hemi.conf"), site().replaceAll('"rule ', '"line '));
  const whole = await program.call("reload");
  expect(whole.plan.changes.length + whole.unlisted).toBeGreaterThanOrEqual(count);
  expect(whole.unlisted).toBeGreaterThan(0);
  expect(await answersTo("/9999")).toEqual(["line 9999"]);
  await requests.stop();
  expect(requests.failed).toEqual([]);

  // The leader, too, gives back what such reloads have taken when it is idle again.
  await expect.poll(memory, { timeout: 60_000, interval: 500 }).toBeLessThan(1.5 * memoryAtFirst);
  await program.end();
});
