// The first app of README.md, as a newcomer makes it: in a folder outside of the workspace, from the packed tarballs,
// by the commands shown.
import { spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { run } from "../run.mjs";
import { publicPackages, root, toolEnvironment } from "../workspace.mjs";

/** `tarballs`: what npm installs in place of our packages. Resolves to problems, each a text. */
export async function checkFirstApp(folder, tarballs) {
  const [setup, files, serve] = readmeSteps();
  const others = await packOthers(join(folder, "others"));
  if (others.problem !== undefined) return [others.problem];
  const install = `npm install --offline --no-audit --no-fund ${[...tarballs, ...others.tarballs].join(" ")}`;
  // All in one shell, since one of the commands changes the folder.
  const commands = setup.replace(/^npm install @hemi\/hemi @hemi\/procman$/m, install);
  if (commands === setup) return ["README.md: no line installs @hemi/hemi and @hemi/procman"];
  const made = await run("sh", ["-ec", commands], { cwd: folder });
  if (made.code !== 0) return [`README.md: the commands of the first app fail:\n${made.output}`];
  const app = join(folder, "my-app");
  // The port may be taken; nothing else differs.
  for (const [name, text] of files) writeFileSync(join(app, name), text.replace("127.0.0.1:3080", "127.0.0.1:0"));
  const problems = [];
  const check = serve.replace("hemi serve", "hemi check");
  const checked = await run("sh", ["-c", check], { cwd: app });
  if (checked.code !== 0) problems.push(`README.md: ${check} finds mistakes in the first app:\n${checked.output}`);
  for (const command of [serve, "node main.ts"]) problems.push(...(await tryServer(command, app)));
  return problems;
}

/** The commands that make the app, its files, and the command that serves it. */
function readmeSteps() {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const section = text.slice(text.indexOf("## A first app"));
  const blocks = [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 2: block, index }) => ({
    block,
    name: [...section.slice(0, index).matchAll(/`([\w.]+\.(?:ts|conf))`/g)].at(-1)?.[1],
  }));
  const [setup, app, conf, serve, main] = blocks;
  const files = [app, conf, main].map(({ name, block }) => [name, block]);
  return [setup.block, files, serve.block.trim()];
}

async function tryServer(command, cwd) {
  // A process group of its own, so that the end reaches all of it, as Ctrl-C in a terminal does: npx passes no signal
  // on.
  const server = spawn("sh", ["-c", command], {
    cwd,
    detached: true,
    env: { ...toolEnvironment(), NODE_OPTIONS: "" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  try {
    for await (const chunk of server.stderr) {
      log += chunk;
      const [, origin] = /listens on (127\.0\.0\.1:\d+)/.exec(log) ?? [];
      if (origin === undefined) continue;
      const user = await (await fetch(`http://${origin}/users/7`)).text();
      const echoed = await (await fetch(`http://${origin}/echo`, { method: "POST", body: "ping" })).text();
      const isRight = user === '{"id":"7"}' && echoed === '{"youSent":"ping"}';
      return isRight ? [] : [`README.md: the first app (${command}) answers ${user} and ${echoed}`];
    }
    return [`README.md: the first app (${command}) does not serve:\n${log}`];
  } finally {
    process.kill(-server.pid, "SIGINT");
  }
}

/** What others have published, in tarballs made of this workspace's node_modules: npm then needs no network. */
async function packOthers(destination) {
  const found = new Map();
  for (const { path, manifest } of publicPackages()) collect(path, manifest, found);
  const tarballs = [];
  for (const path of found.values()) {
    // A tarball of npm holds one folder of this name.
    const copy = join(destination, String(tarballs.length), "package");
    cpSync(path, copy, { recursive: true });
    const tarball = `${dirname(copy)}.tgz`;
    const { code, output } = await run("tar", ["-czf", tarball, "-C", dirname(copy), "package"]);
    if (code !== 0) return { problem: `${path} cannot be packed:\n${output}` };
    tarballs.push(tarball);
  }
  return { tarballs };
}

function collect(path, manifest, found) {
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (name.startsWith("@hemi/") || found.has(name)) continue;
    const folder = folderOf(name, path);
    found.set(name, folder);
    collect(folder, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")), found);
  }
}

function folderOf(name, from) {
  const folders = createRequire(join(from, "package.json")).resolve.paths(name) ?? [];
  const folder = folders.map((path) => join(path, name)).find((path) => existsSync(join(path, "package.json")));
  if (folder === undefined) throw new Error(`${name} is not installed for ${dirname(from)}`);
  return realpathSync(folder);
}
