// Where things are in this workspace, and the environment in which its tools run. Works on an old Node too.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The root's package.json. */
export const manifest = readManifest(root);

const pnpmVersion = manifest.packageManager.replace(/^pnpm@/, "").replace(/\+.*$/, "");

/** The pinned tools that are not dependencies of the workspace: today pnpm alone. */
export const toolchain = { version: pnpmVersion, folder: join(root, ".toolchain", `pnpm-${pnpmVersion}`) };

/**
 * The workspace's packages and examples that have a manifest: `{ folder, path, manifest }`, `folder` relative to the
 * root.
 */
export function packages() {
  return ["packages", "examples"]
    .filter((parent) => existsSync(join(root, parent)))
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`))
    .map((folder) => ({ folder, path: join(root, folder) }))
    .filter(({ path }) => existsSync(join(path, "package.json")))
    .map((entry) => ({ ...entry, manifest: readManifest(entry.path) }));
}

/** The packages that are published. */
export function publicPackages() {
  return packages().filter((entry) => entry.manifest.private !== true);
}

/** A program of the workspace: `bin("node")` is its Node 24, whatever stands first on PATH. */
export function bin(name) {
  return join(root, "node_modules", ".bin", name);
}

/**
 * The environment for every tool: the workspace's programs first, nothing that phones home, no colours in captured
 * text.
 */
export function toolEnvironment() {
  const path = [join(root, "node_modules", ".bin"), join(toolchain.folder, "node_modules", ".bin"), process.env.PATH];
  const environment = { ...process.env, PATH: path.join(delimiter), NO_COLOR: "1", TURBO_TELEMETRY_DISABLED: "1" };
  delete environment.FORCE_COLOR;
  return environment;
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
