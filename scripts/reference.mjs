// `pnpm reference`: writes docs/reference/, docs/hemi.schema.json and the table of known signs in packages/hemi from
// what the sources declare; with --check it only compares. Runs on an old Node too: it starts the workspace's own,
// which reads TypeScript.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bin, root } from "./workspace.mjs";

const program = join(root, "scripts", "reference", "main.ts");
const args = ["--conditions=@hemi/source", program, ...process.argv.slice(2)];
process.exitCode = spawnSync(bin("node"), args, { stdio: "inherit" }).status ?? 1;
