import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatConfig } from "@hemi/hemi";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const ours = globSync(["examples/*/**/*.conf", "packages/*/conf/*.conf"], {
  cwd: root,
  exclude: ["**/node_modules/**", "**/nginx*.conf"],
});

test.each(ours)("%s is laid out as hemi fmt does it", (file) => {
  const text = readFileSync(root + file, "utf8");
  expect(formatConfig(text, file)).toEqual({ text, problems: [] });
});
