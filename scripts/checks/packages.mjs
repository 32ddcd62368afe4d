// Check: what would be published is whole. Each public package is packed, publint and attw look at the tarball; an
// example that was copied out of the workspace runs on what is in them, and so does the first app of README.md, made by
// its commands.
// usage: node scripts/checks/packages.mjs    (after a build)
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { run } from "../run.mjs";
import { bin, publicPackages, root } from "../workspace.mjs";
import { checkFirstApp } from "./first-app.mjs";

const folder = mkdtempSync(join(tmpdir(), "hemi-pack-"));
try {
  const results = await Promise.all(publicPackages().map(checkPackage));
  const problems = results.flat();
  if (problems.length === 0) problems.push(...(await runExample()));
  if (problems.length === 0) problems.push(...(await checkFirstApp(folder, publicPackages().map(tarballOf))));
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Packs it, looks at the tarball, and unpacks that as an installation would. */
async function checkPackage({ path, manifest }) {
  const packed = await run("pnpm", ["pack", "--pack-destination", tarballFolder(manifest)], { cwd: path });
  if (packed.code !== 0) return [`${manifest.name}: pnpm pack failed:\n${packed.output}`];
  const tarball = tarballOf({ manifest });
  const [linted, types] = await Promise.all([lint(tarball), checkTypes(tarball)]);
  const installed = join(folder, "node_modules", manifest.name);
  mkdirSync(installed, { recursive: true });
  const { code, output } = await run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  const unpacked = code === 0 ? [] : [output];
  return [...linted, ...types, ...unpacked].map((problem) => `${manifest.name}: ${problem}`);
}

function tarballFolder({ name }) {
  return join(folder, "tarballs", name);
}

function tarballOf({ manifest }) {
  return join(tarballFolder(manifest), readdirSync(tarballFolder(manifest))[0]);
}

/**
 * Serves a copied example with the packed command, and asks it. What others have published is linked in, not fetched.
 */
async function runExample() {
  for (const { path, manifest } of publicPackages()) {
    for (const name of Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith("@hemi/"))) {
      const link = join(folder, "node_modules", name);
      mkdirSync(dirname(link), { recursive: true });
      if (!existsSync(link)) symlinkSync(join(path, "node_modules", name), link);
    }
  }
  const app = join(folder, "app");
  cpSync(join(root, "examples", "typescript-app"), app, { recursive: true });
  const compiled = await compileExample(app);
  if (compiled !== undefined) return [compiled];
  const command = join(folder, "node_modules", "@hemi", "procman", "bin", "hemi.js");
  const args = [command, "serve", "--config", "app.conf", "--use", "./app.ts"];
  const server = spawn(bin("node"), args, {
    cwd: app,
    env: { ...process.env, PORT: "0", NODE_OPTIONS: "" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  try {
    for await (const chunk of server.stderr) {
      log += chunk;
      const [, port] = /listens on \S*:(\d+)/.exec(log) ?? [];
      if (port === undefined) continue;
      const answer = await fetch(`http://127.0.0.1:${port}/api/tasks`);
      return answer.status === 200 ? [] : [`the copied example answers with ${answer.status}:\n${log}`];
    }
    return [`the copied example does not serve:\n${log}`];
  } finally {
    server.kill();
  }
}

/** By its own tsconfig.json, tests included: `undefined` if its types are right. */
async function compileExample(app) {
  const types = join(folder, "node_modules", "@types", "node");
  mkdirSync(dirname(types), { recursive: true });
  symlinkSync(join(root, "node_modules", "@types", "node"), types);
  symlinkSync(join(root, "node_modules", "vitest"), join(folder, "node_modules", "vitest"));
  const { code, output } = await run("tsc", ["-p", "tsconfig.json"], { cwd: app });
  return code === 0 ? undefined : `the copied example does not compile by its own tsconfig.json:\n${output}`;
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
