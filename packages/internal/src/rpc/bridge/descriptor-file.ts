// Descriptors of services in a file, as protoc writes it (google.protobuf.FileDescriptorSet).

import { readFile } from "node:fs/promises";
import { createFileRegistry, fromBinary, type DescService, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { PropError } from "../../component/prop-error.ts";

export interface DescribedServices {
  /** In the order of the file. */
  readonly services: readonly DescService[];
  readonly registry: FileRegistry;
}

/** `only`: full names; `undefined`: all but `isOurs`. Throws PropError for `descriptors` and `only`. */
export async function servicesOfFile(file: string, only: readonly string[] | undefined): Promise<DescribedServices> {
  const registry = await readRegistry(file);
  const all = [...registry].filter((each) => each.kind === "service");
  const missing = only?.find((name) => all.every(({ typeName }) => typeName !== name));
  if (missing !== undefined) {
    const names = all.map(({ typeName }) => typeName).join(", ");
    throw new PropError("only", "HEMI_CONFIG_BAD_VALUE", `${file} has no service ${missing}, but ${names || "none"}`);
  }
  return { services: all.filter(({ typeName }) => only?.includes(typeName) ?? !isOurs(typeName)), registry };
}

/** Whether it is a service that every server has for itself. */
export function isOurs(name: string): boolean {
  return name.startsWith("grpc.reflection.") || name.startsWith("grpc.health.");
}

async function readRegistry(file: string): Promise<FileRegistry> {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(file)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = "protoc --include_imports --descriptor_set_out=FILE writes such a file";
    throw new PropError("descriptors", "HEMI_FILE", `${file} cannot be used: ${why}; ${hint}`, { cause });
  }
}
