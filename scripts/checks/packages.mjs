// Check: what would be published is whole. Each public package is packed, and publint and attw look at the tarball.
// usage: node scripts/checks/packages.mjs    (after a build)
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { run } from "../run.mjs";
import { publicPackages } from "../workspace.mjs";

const results = await Promise.all(publicPackages().map(checkPackage));
for (const problem of results.flat()) console.log(problem);
process.exitCode = results.flat().length === 0 ? 0 : 1;

async function checkPackage({ path, manifest }) {
  const folder = mkdtempSync(join(tmpdir(), "hemi-pack-"));
  try {
    const packed = await run("pnpm", ["pack", "--pack-destination", folder], { cwd: path });
    if (packed.code !== 0) return [`${manifest.name}: pnpm pack failed:\n${packed.output}`];
    const tarball = join(folder, readdirSync(folder)[0]);
    const problems = [...(await lint(tarball)), ...(await checkTypes(tarball))];
    return problems.map((problem) => `${manifest.name}: ${problem}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function lint(tarball) {
  const { buffer } = new Uint8Array(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true, level: "warning" });
  return messages.map((message) => formatMessage(message, pkg, { color: false }));
}

async function checkTypes(tarball) {
  const flags = ["--profile", "esm-only", "--no-definitely-typed", "--format", "ascii", "--no-emoji", "--no-color"];
  const { code, output } = await run("attw", [tarball, ...flags]);
  return code === 0 ? [] : [`are the types wrong?\n${output.trim()}`];
}
