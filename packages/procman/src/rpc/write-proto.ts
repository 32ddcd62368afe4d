// `hemi rpc proto MODULE --out FILE.proto [--check]`: writes the .proto file of the bundlets that a module exports, and
// FILE.proto.lock.json with the field numbers. `--check` changes nothing, and fails if a file would change.

import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Bundlet } from "@hemi/common/rpc";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { readLock, type FieldLock } from "./field-lock.ts";
import { protoFileOf } from "./proto-file.ts";

export async function writeProto(line: CommandLine, [module, ...others]: readonly string[]): Promise<ExitCode> {
  const { out, isCheck } = line;
  if (module === undefined || others.length > 0 || out === undefined) {
    throw new HemiError("HEMI_USAGE", "rpc proto takes a module and a file: hemi rpc proto stock.ts --out stock.proto");
  }
  const lockFile = `${out}.lock.json`;
  const { text, lock, problems } = protoFileOf(await bundletsOf(module), await lockOf(lockFile));
  if (problems.length > 0) throw new HemiError("HEMI_USAGE", problems.join("\n"));
  const files = new Map([
    [out, text],
    [lockFile, `${JSON.stringify(lock, undefined, 2)}\n`],
  ]);
  const changed: string[] = [];
  for (const [file, content] of files) if ((await textOf(file)) !== content) changed.push(file);
  if (!isCheck) for (const file of changed) await writeFile(file, files.get(file) ?? "");
  for (const file of changed) process.stdout.write(`${file}\n`);
  return isCheck && changed.length > 0 ? exitCodes.wrongUse : exitCodes.fine;
}

/** What the module exports. Those of protobuf have a .proto file already. */
async function bundletsOf(module: string): Promise<readonly Bundlet[]> {
  const exported: unknown = await import(pathToFileURL(resolve(module)).href);
  const values: readonly unknown[] = typeof exported === "object" && exported !== null ? Object.values(exported) : [];
  return values.filter(isBundlet).filter(({ descriptor }) => descriptor === undefined);
}

function isBundlet(value: unknown): value is Bundlet {
  return typeof value === "object" && value !== null && "name" in value && "procedures" in value;
}

async function lockOf(file: string): Promise<FieldLock> {
  const text = await textOf(file);
  if (text === undefined) return {};
  try {
    return readLock(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HemiError("HEMI_USAGE", `${file} cannot be read: ${reason}`);
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return undefined;
  }
}
