// `npm run setup`: makes a fresh clone ready, on any Node from 18 on, with npm alone. It brings the pinned pnpm,
// installs the dependencies (the engine's own Node among them), and builds the packages. What is up to date is not done
// again.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock.mjs";
import { run } from "./run.mjs";
import { bin, manifest, packages, root, toolchain } from "./workspace.mjs";

const oldestNode = 18;

/** A step that failed, with what the user can do about it. */
export class SetupError extends Error {}

/** Brings pnpm and installs what the lock file names. About ten milliseconds when there is nothing to do. */
export async function install() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < oldestNode) {
    throw new SetupError(`Node ${process.versions.node} is too old to set up Hemi: use Node ${oldestNode} or newer.`);
  }
  if (isInstalled()) return;
  await withLock(join(root, ".toolchain", "lock"), sayWaiting, async () => {
    if (isInstalled()) return;
    await bringPnpm();
    await installDependencies();
  });
}

/** Builds every package, through turbo's cache. Resolves to `{ code, output }`. */
export async function build() {
  return withLock(join(root, ".toolchain", "lock"), sayWaiting, () =>
    run(bin("turbo"), ["run", "build", "--output-logs=errors-only", "--log-order=grouped", "--no-update-notifier"]),
  );
}

/** Everything that a fresh clone needs before the engine runs. */
export async function setup() {
  await install();
  await step("Building the packages", async () => {
    const { code, output } = await build();
    if (code !== 0) throw new SetupError(`The build failed:\n\n${output.trim()}`);
  });
}

/** Ends the process with the error's message: a plain sentence for what we foresaw, the stack for what we did not. */
export function failSetup(error) {
  console.error(error instanceof SetupError ? `\n${error.message}` : error);
  process.exit(1);
}

async function bringPnpm() {
  if (existsSync(toolchain.folder)) return;
  await step(`Getting pnpm ${toolchain.version}`, async () => {
    // Made aside and moved into place when it is complete: an interrupted attempt leaves nothing that looks finished.
    const draft = `${toolchain.folder}.draft`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    // npm 11 blocks install scripts and npm 10 runs them: we forbid them to both, and run pnpm's own by hand.
    const flags = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    await need(
      "npm",
      ["install", "--prefix", draft, ...flags, ...patience, `pnpm@${toolchain.version}`],
      networkAdvice,
    );
    await need(process.execPath, [join(draft, "node_modules", "pnpm", "install.js")], "");
    renameSync(draft, toolchain.folder);
  });
}

async function installDependencies() {
  await step("Installing dependencies", async () => {
    rmSync(stampPath(), { force: true });
    const pnpm = join(toolchain.folder, "node_modules", ".bin", "pnpm");
    await need(
      pnpm,
      ["install", "--frozen-lockfile", ...patience.map((flag) => flag.replace("--", "--config."))],
      networkAdvice,
    );
    // An attempt that was interrupted while Node was unpacked can leave a package that pnpm takes for complete.
    const wanted = `v${manifest.devDependencies.node}`;
    if ((await nodeVersion()) !== wanted) await need(pnpm, ["rebuild", "node"], networkAdvice);
    const found = await nodeVersion();
    if (found !== wanted) {
      throw new SetupError(
        `The workspace's Node should be ${wanted} but is ${found}: delete node_modules, and try again.`,
      );
    }
    writeFileSync(stampPath(), stamp());
  });
}

/** Both npm and pnpm wait for minutes by default before they say that the network is missing. */
const patience = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"];

const networkAdvice =
  "If the lines above speak of the network: the npm registry must be reachable (see `npm config get registry` and your proxy\n" +
  "settings). If they speak of an outdated lock file: run `pnpm install` after changing a package.json, and commit the result.\n" +
  "Then run `npm run setup` again: it goes on where it stopped.";

async function need(program, args, advice) {
  const { code, output } = await run(program, args, { env: { CI: "true" } });
  if (code !== 0)
    throw new SetupError(`\`${[program, ...args].join(" ")}\` failed:\n\n${output.trim()}\n\n${advice}`.trim());
}

async function nodeVersion() {
  const { code, output } = await run(bin("node"), ["--version"]);
  return code === 0 ? output.trim() : "missing";
}

function isInstalled() {
  const isComplete = existsSync(toolchain.folder) && existsSync(bin("node")) && existsSync(stampPath());
  return isComplete && readFileSync(stampPath(), "utf8") === stamp();
}

/** Inside node_modules, so that deleting it forgets the stamp too. */
function stampPath() {
  return join(root, "node_modules", ".hemi-setup");
}

/** What the installed state depends on. */
function stamp() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  const manifests = packages().map(({ folder }) => `${folder}/package.json`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests]) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** How often a step that goes on says that it does, in ms. */
const heartbeat = 10_000;

async function step(title, work) {
  const began = Date.now();
  process.stderr.write(`${title} …\n`);
  const beat = setInterval(() => {
    process.stderr.write(`${title}: ${Math.round((Date.now() - began) / 1000)} s so far …\n`);
  }, heartbeat);
  try {
    await work();
    process.stderr.write(`${title}: done in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
  } finally {
    clearInterval(beat);
  }
}

function sayWaiting() {
  process.stderr.write("Another command is setting this workspace up: waiting for it …\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setup().then(() => console.log("Ready: `npm start` runs the example, `npm test` every check."), failSetup);
}
