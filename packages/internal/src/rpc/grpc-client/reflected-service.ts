// Services of foreign servers by gRPC reflection (grpc.reflection.v1, else v1alpha): their names, and bundlets of them.

import { createFileRegistry, create, fromBinary, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { codeOfNumber, makeClient, RpcError, type Bundlet, type CallOptions, type Transport } from "@hemi/common/rpc";
import { describedBundlet, protoBundlet } from "@hemi/common/rpc-proto";
import { ServerReflection as ReflectionV1 } from "../builtin/reflection-v1_pb.ts";
import { ServerReflection as ReflectionV1Alpha } from "../builtin/reflection-v1alpha_pb.ts";

/** What a server tells about its services. */
export interface Reflection {
  /** The full names of its services, in order. */
  listServices(): Promise<readonly string[]>;
  /** A service by its full name. Rejects with RpcError `not_found`. */
  service(name: string): Promise<Bundlet>;
  /** The descriptors of the file that declares a symbol, and of all that it imports. */
  filesOf(symbol: string): Promise<FileRegistry>;
}

const v1 = protoBundlet(ReflectionV1);
const v1alpha = protoBundlet(ReflectionV1Alpha);

/** How a question is asked, by each version. */
const versions = [
  (transport: Transport, question: AsyncIterable<Asked> | Iterable<Asked>, options: CallOptions) =>
    makeClient(v1, transport).serverReflectionInfo(question, options),
  (transport: Transport, question: AsyncIterable<Asked> | Iterable<Asked>, options: CallOptions) =>
    makeClient(v1alpha, transport).serverReflectionInfo(question, options),
] as const;

interface Asked {
  readonly host: string;
  readonly messageRequest: Question;
}

/** A question in the form that both versions have. */
type Question = { case: "listServices" | "fileContainingSymbol" | "fileByFilename"; value: string };

/** See `reflect`. */
export function askReflection(transport: Transport): Reflection {
  const ask = async (question: Question) => {
    try {
      return await askBy(versions[0], transport, question);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== "unimplemented") throw error;
      return await askBy(versions[1], transport, question);
    }
  };
  const filesOf = async (symbol: string): Promise<FileRegistry> => {
    const files = new Map<string, FileDescriptorProto>();
    let questions: Question[] = [{ case: "fileContainingSymbol", value: symbol }];
    while (questions.length > 0) {
      for (const question of questions) {
        const answer = await ask(question);
        if (answer.case !== "fileDescriptorResponse") continue;
        for (const bytes of answer.value.fileDescriptorProto) {
          const file = fromBinary(FileDescriptorProtoSchema, bytes);
          files.set(file.name, file);
        }
      }
      // Some servers give a file without what it imports.
      const missing = [...files.values()].flatMap(({ dependency }) => dependency).filter((name) => !files.has(name));
      if (files.size > maxFiles)
        throw new RpcError("resource_exhausted", `${symbol} needs more than ${maxFiles} files`);
      const asked = new Set(questions.map(({ value }) => value));
      questions = [...new Set(missing)]
        .filter((name) => !asked.has(name))
        .map((value) => ({ case: "fileByFilename", value }));
    }
    return createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder(files) }));
  };
  return {
    async listServices() {
      const answer = await ask({ case: "listServices", value: "" });
      if (answer.case !== "listServicesResponse")
        throw new RpcError("internal", "the server did not list its services");
      return answer.value.service.map(({ name }) => name).sort();
    },
    filesOf,
    async service(name) {
      const registry = await filesOf(name);
      const service = registry.getService(name);
      if (service === undefined) throw new RpcError("not_found", `the server has no service ${name}`);
      return describedBundlet(service, { registry });
    },
  };
}

async function askBy(version: (typeof versions)[number], transport: Transport, messageRequest: Question) {
  const answers = version(transport, [{ host: "", messageRequest }], { timeout: askTimeout });
  for await (const { messageResponse } of answers) {
    if (messageResponse.case !== "errorResponse") return messageResponse;
    const { errorCode, errorMessage } = messageResponse.value;
    throw new RpcError(codeOfNumber(errorCode), errorMessage);
  }
  throw new RpcError("internal", "the server did not answer to reflection");
}

/** What is imported comes before what imports it. */
function inOrder(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const visit = (name: string, above: ReadonlySet<string>): void => {
    const file = files.get(name);
    if (file === undefined || ordered.has(file) || above.has(name)) return;
    for (const each of file.dependency) visit(each, new Set([...above, name]));
    ordered.add(file);
  };
  for (const name of files.keys()) visit(name, new Set());
  return [...ordered];
}

/** In ms. */
const askTimeout = 10_000;
/** What a server may make us keep. */
const maxFiles = 1000;
