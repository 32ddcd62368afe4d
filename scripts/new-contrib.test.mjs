// A package made from the template, in a workspace of its own: built, tested and booted as a user would do it.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempDisposableSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { brokenArrows } from "./checks/manifests.mjs";
import { newContrib } from "./new-contrib.mjs";
import { packages, root, toolEnvironment } from "./workspace.mjs";

/** Building, checking and testing start the compiler twice and vitest once. */
const patience = 120_000;

/** A workspace with the tools and the engine of this one, and no packages of its own. */
function scratchWorkspace() {
  const folder = mkdtempDisposableSync(join(tmpdir(), "hemi-new-contrib-"));
  onTestFinished(() => folder.remove());
  mkdirSync(join(folder.path, "packages"));
  writeFileSync(join(folder.path, "package.json"), '{ "type": "module" }');
  for (const name of ["node_modules", "scripts"]) symlinkSync(join(root, name), join(folder.path, name));
  for (const name of ["LICENSE", "tsconfig.base.json", "tsconfig.build.json", "vitest.config.ts"]) {
    cpSync(join(root, name), join(folder.path, name));
  }
  return folder.path;
}

/** What `pnpm install` would link. */
function link(folder) {
  mkdirSync(join(folder, "node_modules", "@hemi"), { recursive: true });
  symlinkSync(join(root, "packages", "internal"), join(folder, "node_modules", "@hemi", "internal"));
}

/** The files that CONTRIBUTING.md shows, each with the name that it was spoken of last before. */
function shownFiles() {
  const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ 1: code, index }) => {
    const name = [...text.slice(0, index).matchAll(/`(src\/[\w.-]+\.ts)`/g)].at(-1)?.[1];
    return [name, code];
  });
}

/** Runs a program in a folder and returns what it prints; throws with it if it fails. */
function runIn(folder, program, ...args) {
  const env = { ...toolEnvironment(), VITEST: undefined, NODE_OPTIONS: undefined };
  try {
    return execFileSync(program, args, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")}:\n${error.stdout}\n${error.stderr}`, { cause: error });
  }
}

test(
  "a new contrib with the component of CONTRIBUTING.md builds, passes its tests, and boots",
  { timeout: patience },
  () => {
    const workspace = scratchWorkspace();
    const folder = newContrib("hello", { root: workspace });
    link(folder);
    const shown = shownFiles();
    expect(shown.map(([name]) => name)).toEqual(["src/teapot.ts", "src/teapot.test.ts", "src/index.ts"]);
    for (const [name, code] of shown) writeFileSync(join(folder, name), code);

    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    expect(manifest.engines).toEqual(packages()[0].manifest.engines);
    expect(brokenArrows(manifest)).toEqual([]);
    runIn(folder, "sh", "-c", manifest.scripts.build);
    // The tests too; against the built types of the engine, which are quicker to read than its sources.
    runIn(folder, "tsc", "-p", "tsconfig.json", "--customConditions", "null");
    // Its own tests alone: those of the scripts, this one among them, are there too.
    const report = runIn(workspace, "vitest", "run", "packages/", "--root", workspace);
    expect(report).toMatch(/Tests +6 passed/);

    const [, config] = /^```\n(stage \{.*?)^```$/ms.exec(readFileSync(join(folder, "README.md"), "utf8"));
    const program = `
    import contrib from "@hemi/contrib-hello";
    import { bootWith } from "@hemi/internal";
    const config = ${JSON.stringify(config.replace("127.0.0.1:3080", "127.0.0.1:0"))};
    await using stage = await bootWith([contrib]).bootText(config);
    await stage.start();
    console.log((await stage.inject({ url: "/hello?name=Ada" })).text);
  `;
    expect(runIn(folder, "node", "--input-type=module", "--eval", program)).toBe("Welcome, Ada!\n");
  },
);

test("a name of several words becomes a sign, and a taken or a bad name is refused", () => {
  const workspace = scratchWorkspace();
  const folder = newContrib("rate-table", { root: workspace });
  expect(readFileSync(join(folder, "src", "rate-table.ts"), "utf8")).toContain('sign: "rateTable"');
  expect(readFileSync(join(folder, "src", "index.ts"), "utf8")).toContain('{ rateTable } from "./rate-table.ts"');
  expect(() => newContrib("rate-table", { root: workspace })).toThrow("is there already");
  for (const name of ["Rate", "rate_table", "../rate", "rate-", ""]) {
    expect(() => newContrib(name, { root: workspace })).toThrow("is no name for a package");
  }
  for (const name of ["class", "static", "pack", "await"]) {
    expect(() => newContrib(name, { root: workspace })).toThrow("take another name");
  }
});
