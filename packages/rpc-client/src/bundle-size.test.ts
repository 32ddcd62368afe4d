import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

test("the client is at most 12 KB compressed, and has nothing of Node.js", async () => {
  const entry = fileURLToPath(new URL("index.ts", import.meta.url));
  const bundle = await rolldown({
    input: entry,
    platform: "browser",
    resolve: { conditionNames: ["@hemi/source", "import", "default"] },
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  expect(output).toHaveLength(1);
  expect(output[0].imports).toEqual([]);
  expect(output[0].code).not.toMatch(/\bBuffer\b|\bprocess\.|node:/);
  expect(gzipSync(output[0].code).length).toBeLessThanOrEqual(12 * 1024);
});
