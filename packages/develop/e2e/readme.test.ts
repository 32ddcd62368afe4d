import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bootText, defineHandlet, pack, ConfigError } from "@hemi/hemi";
import { expect, test } from "vitest";
import { programFolder, root } from "./program-folder.ts";

const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");

/** The code blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, word]) => word === language)
    .map(([, , text]) => text ?? "");
}

test("the configuration of the README boots, and its mistake is told as the README shows it", async () => {
  const [config = "", mistake = ""] = blocks("");
  expect(config).toContain("httpxServer");
  const app = defineHandlet({ sign: "app", create: () => ({ handle: () => false }) });
  await using stage = await bootText(config, { use: [pack("my-app", [app])] });
  expect(stage.find("webapp.app/rule.2")).toBeDefined();
  const wrong = 'stage {\n    webapp "app" {\n        .hostname = ("*")\n        .hostnames = ("*")\n    }\n}\n';
  const error: unknown = await bootText(wrong, { name: "app.conf" }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error instanceof Error ? error.message : error)).toBe(mistake.trimEnd());
});

test("hemi explain prints what the README shows", async () => {
  const [program = ""] = blocks("ts");
  const [config = ""] = blocks("");
  await using folder = await programFolder();
  const hemi = join(root, "packages/procman/src/main.ts");
  await writeFile(join(folder.path, "app.conf"), config);
  await writeFile(join(folder.path, "app.ts"), program);
  const transcripts = blocks("console");
  const told: string[] = [];
  for (const transcript of transcripts) {
    const [, command = ""] = /^\$ hemi (.*)\n/.exec(transcript) ?? [];
    const child = spawn(process.execPath, ["--conditions=@hemi/source", hemi, ...command.split(" ")], {
      cwd: folder.path,
    });
    const stdout = Buffer.concat((await child.stdout.toArray()) as Buffer[]).toString();
    told.push(`$ hemi ${command}\n${stdout}`);
  }
  expect(transcripts).toHaveLength(3);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    let text = readme;
    transcripts.forEach((transcript, i) => (text = text.replace(transcript, () => told[i] ?? "")));
    await writeFile(new URL("../../../README.md", import.meta.url), text);
  } else expect(told).toEqual(transcripts);
});
