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

/** See `reflect`. `signal`: ends all questions. */
export function askReflection(transport: Transport, signal?: AbortSignal): Reflection {
  /** `until`: by the clock of `performance.now`, for all questions of one method. */
  const ask = async (question: Question, until: number) => {
    const timeout = Math.min(askTimeout, until - performance.now());
    if (timeout <= 0) throw new RpcError("deadline_exceeded", `reflection took more than ${methodTimeout} ms`);
    const options: CallOptions = { timeout, ...(signal !== undefined && { signal }) };
    try {
      return await askBy(versions[0], transport, question, options);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== "unimplemented") throw error;
      return await askBy(versions[1], transport, question, options);
    }
  };
  const filesOf = async (symbol: string): Promise<FileRegistry> => {
    const until = performance.now() + methodTimeout;
    let size = 0;
    const files = new Map<string, FileDescriptorProto>();
    let questions: Question[] = [{ case: "fileContainingSymbol", value: symbol }];
    while (questions.length > 0) {
      for (const question of questions) {
        const answer = await ask(question, until);
        if (answer.case !== "fileDescriptorResponse") continue;
        for (const bytes of answer.value.fileDescriptorProto) {
          size += bytes.length;
          if (size > maxSize) throw new RpcError("resource_exhausted", `${symbol} needs more than ${maxSize} bytes`);
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
      const answer = await ask({ case: "listServices", value: "" }, performance.now() + methodTimeout);
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

async function askBy(
  version: (typeof versions)[number],
  transport: Transport,
  messageRequest: Question,
  options: CallOptions,
) {
  const answers = version(transport, [{ host: "", messageRequest }], options);
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

/** In ms, of one question, and of all that a method asks. */
const askTimeout = 10_000;
const methodTimeout = 30_000;
/** What a server may make us keep, for one symbol: files, and their bytes. */
const maxFiles = 1000;
const maxSize = 16 * 1024 * 1024;
