// `npm test [-- --only NAME,NAME]`: sets the workspace up and runs every check; all of them, even when one fails.
// The last line counts what passed: each unit test, and each of the other checks as one.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.mjs";
import { build, failSetup, install } from "./setup.mjs";

/** An exit code by which a check says that it could not be made; its last line of output says why. */
const skippedCode = 77;

/** Run in this order, the longest first, as many side by side as there are lanes. */
const checks = [
  { name: "unit", make: unitTests },
  { name: "lint", make: program("eslint", ".", "--max-warnings=0") },
  { name: "packages", make: program("node", "scripts/checks/packages.mjs"), needsBuild: true },
  { name: "typecheck", make: program("tsc", "-p", "tsconfig.json") },
  { name: "pages", make: program("tsc", "-p", "packages/procman/src/webui/page") },
  { name: "format", make: program("prettier", "--check", "--log-level=warn", ".") },
  { name: "imports", make: program("node", "scripts/checks/imports.mjs") },
  { name: "reference", make: program("node", "scripts/reference.mjs", "--check") },
  { name: "manifests", make: program("node", "scripts/checks/manifests.mjs") },
  { name: "docstrings", make: program("node", "scripts/checks/docstrings.mjs"), needsBuild: true },
  { name: "changesets", make: program("node", "scripts/checks/changesets.mjs") },
];
const lanes = 2;

const chosen = chooseChecks(process.argv.slice(2));
await install().catch(failSetup);
const total = { passed: 0, failed: 0, skipped: 0 };
const skips = [];
const failures = [];

// First and alone: what the packages check packs, and what tests start as a command, must not change under them.
const built = chosen.includes("build") ? await perform({ name: "build", make: runBuild }) : true;
const waiting = checks.filter(({ name }) => chosen.includes(name));
await Promise.all(Array.from({ length: lanes }, runLane));

for (const { name, reason } of skips) console.log(`skipped ${name}\n        ${reason}`);
if (failures.length > 0) console.log(`\nFailed: ${failures.join(", ")}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function runLane() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    if (check.needsBuild && !built) report(check.name, skip("the build failed"), 0);
    else await perform(check);
  }
}

/** Runs one check and tells of it at once; resolves to whether nothing of it failed. */
async function perform({ name, make }) {
  const began = performance.now();
  const result = await make();
  report(name, result, performance.now() - began);
  return result.failed === 0;
}

function report(name, { passed, failed, skipped, output, summary = "" }, milliseconds) {
  const word = failed > 0 ? "FAILED" : passed > 0 ? "ok" : "skipped";
  console.log(`${word.padEnd(8)}${name.padEnd(12)}${(milliseconds / 1000).toFixed(1).padStart(6)} s${summary}`);
  if (failed > 0) {
    console.log(`\n${output.trim()}\n`);
    failures.push(name);
  }
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped.length;
  skips.push(...skipped.map(({ name: test, reason }) => ({ name: test ?? name, reason })));
}

/** A check that is one program: it passes if the program ends with 0. */
function program(...[command, ...args]) {
  return async () => judge(await run(command, args));
}

async function runBuild() {
  return judge(await build());
}

function judge({ code, output }) {
  if (code === skippedCode) return skip(output.trim().split("\n").at(-1));
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [], output };
}

function skip(reason) {
  return { passed: 0, failed: 0, skipped: [{ reason }], output: "" };
}

/** The unit tests count one by one. */
async function unitTests() {
  const folder = mkdtempSync(join(tmpdir(), "hemi-unit-"));
  const countsFile = join(folder, "counts.json");
  try {
    const reporters = ["--reporter=minimal", "--reporter=./scripts/checks/unit-reporter.mjs"];
    const { code, output } = await run("vitest", ["run", ...reporters], { env: { HEMI_UNIT_COUNTS: countsFile } });
    const counts = readCounts(countsFile);
    // Whatever vitest objects to that no test accounts for (no tests at all, a crash) is a failure of its own.
    if (code !== 0 && counts.failed === 0) counts.failed = 1;
    return { ...counts, output, summary: `   ${counts.passed} tests` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

/** The names after `--only`, or all. The build comes along with what needs it. */
function chooseChecks(args) {
  const names = checks.map(({ name }) => name);
  if (args.length === 0) return ["build", ...names];
  const [flag, list = "", ...rest] = args;
  const wanted = flag.startsWith("--only=") ? flag.slice("--only=".length).split(",") : list.split(",");
  const isKnown = wanted.every((name) => name === "build" || names.includes(name));
  if (!/^--only(=|$)/.test(flag) || !isKnown || rest.length > 0) {
    console.error(`usage: npm test [-- --only NAME,NAME]\nnames: ${["build", ...names].join(", ")}`);
    process.exit(2);
  }
  return checks.some(({ name, needsBuild }) => wanted.includes(name) && needsBuild) ? ["build", ...wanted] : wanted;
}
