// Builds the package in the working directory: TypeScript from src/ to dist/, where nothing stays whose source is gone.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
removeOrphans();
process.exit(status ?? 1);

function removeOrphans() {
  for (const file of existsSync("dist") ? readdirSync("dist", { recursive: true }) : []) {
    const source = file.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
    if (source !== file && !existsSync(join("src", source))) rmSync(join("dist", file));
  }
}
