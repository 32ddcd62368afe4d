// Generates the `*_pb.ts` beside each `.proto`, by protoc (Debian: protobuf-compiler, libprotobuf-dev) and by
// protoc-gen-es.
// usage: node scripts/protos.mjs
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "./workspace.mjs";

const plugin = join(root, "node_modules", ".bin", "protoc-gen-es");

for (const file of globSync("{packages,examples}/**/*.proto", { cwd: root, exclude: ["**/node_modules/**"] })) {
  const folder = join(root, dirname(file));
  const args = [
    `--plugin=${plugin}`,
    `-I${folder}`,
    `--es_out=${folder}`,
    "--es_opt=target=ts,import_extension=ts",
    basename(file),
  ];
  const { status } = spawnSync("protoc", args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  const generated = join(folder, basename(file, ".proto") + "_pb.ts");
  writeFileSync(generated, withoutEnums(readFileSync(generated, "utf8")));
  spawnSync("prettier", ["--write", generated], { stdio: "ignore" });
}

/**
 * Erasable TypeScript has no enums: a constant object and a union of its values stand for each. Lint holds here, too.
 */
function withoutEnums(source) {
  const enums = /export enum (\w+) \{([^}]*)\}/g;
  return source.replace("/* eslint-disable */\n", "").replace(enums, (_all, name, body) => {
    const members = body.replaceAll(/(\w+) = (\d+)/g, "$1: $2");
    return `export const ${name} = {${members}} as const;\n\n/** One of them. */\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
  });
}
