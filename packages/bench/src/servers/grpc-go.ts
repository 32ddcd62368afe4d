// The server of grpc-go, built from Debian's packages: golang-go, golang-google-grpc-dev, golang-google-protobuf-dev,
// protobuf-compiler, protoc-gen-go and protoc-gen-go-grpc. Nothing is downloaded.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "../server-process.ts";

/** Programs that the build needs. */
export const grpcGoNeeds: readonly string[] = ["go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc"];

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Builds it, in a folder of its own. */
export function grpcGo(): Command {
  const goPath = mkdtempSync(join(tmpdir(), "hemi-bench-go-"));
  const source = join(goPath, "src", "hemi.example", "bench");
  mkdirSync(source, { recursive: true });
  cpSync(join(folder, "grpc-go", "main.go"), join(source, "main.go"));
  const place = "Mbench.proto=hemi.example/bench/benchpb";
  const out = join(goPath, "src");
  execFileSync("protoc", [
    ...[`-I${folder}`, `--go_out=${out}`, `--go_opt=${place}`, `--go-grpc_out=${out}`, `--go-grpc_opt=${place}`],
    "bench.proto",
  ]);
  const program = join(goPath, "server");
  const env = { ...process.env, GO111MODULE: "off", GOPATH: `${goPath}:/usr/share/gocode` };
  execFileSync("go", ["build", "-o", program, "hemi.example/bench"], { env, cwd: source });
  return () => [program];
}
