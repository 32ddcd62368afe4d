// grpc.reflection, v1 and v1alpha: gives clients such as grpcurl the descriptors of all protobuf services.

import { toBinary, type DescFile, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { rpcCodes } from "@hemi/common/rpc";
import { protoBundlet } from "@hemi/common/rpc-proto";
import { implement, type ServedBundlet } from "../served-bundlet.ts";
import { ServerReflection as ReflectionV1, type ServerReflectionRequest as RequestV1 } from "./reflection-v1_pb.ts";
import {
  ServerReflection as ReflectionV1Alpha,
  type ServerReflectionRequest as RequestV1Alpha,
} from "./reflection-v1alpha_pb.ts";

const v1 = protoBundlet(ReflectionV1);
const v1alpha = protoBundlet(ReflectionV1Alpha);

/** Both versions. `services` is asked at each request: a reload may change them. */
export function reflectionBundlets(services: () => Iterable<DescService>): readonly ServedBundlet[] {
  return [
    implement(v1, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield answer(request, new DescriptorIndex(services()));
      },
    }),
    implement(v1alpha, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield answer(request, new DescriptorIndex(services()));
      },
    }),
  ];
}

/** The answer has the same form in both versions. */
function answer({ host, messageRequest: asked }: RequestV1 | RequestV1Alpha, index: DescriptorIndex) {
  return { validHost: host, messageResponse: responseTo(asked, index) };
}

function responseTo(asked: (RequestV1 | RequestV1Alpha)["messageRequest"], index: DescriptorIndex) {
  switch (asked.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: index.serviceNames.map((name) => ({ name })) },
      } as const;
    case "fileByFilename":
      return filesFrom(index.fileNamed(asked.value), asked.value);
    case "fileContainingSymbol":
      return filesFrom(index.fileWith(asked.value), asked.value);
    case "fileContainingExtension":
    case "allExtensionNumbersOfType":
      return failure(rpcCodes.not_found, "there are no extensions here");
    case undefined:
      return failure(rpcCodes.invalid_argument, "the request asks for nothing that is known");
  }
}

/** The file with all that it imports: a client can link them without another question. */
function filesFrom(file: DescFile | undefined, asked: string) {
  if (file === undefined) return failure(rpcCodes.not_found, `there is no ${asked}`);
  const files = new Set<DescFile>();
  collect(file, files);
  const fileDescriptorProto = [...files].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } } as const;
}

function failure(errorCode: number, errorMessage: string) {
  return { case: "errorResponse", value: { errorCode, errorMessage } } as const;
}

function collect(file: DescFile, into: Set<DescFile>): void {
  if (into.has(file)) return;
  into.add(file);
  for (const imported of file.dependencies) collect(imported, into);
}

/** The files of some services, by what is declared in them. */
class DescriptorIndex {
  readonly serviceNames: readonly string[];
  readonly #files = new Set<DescFile>();

  constructor(services: Iterable<DescService>) {
    const all = [...services];
    this.serviceNames = all.map(({ typeName }) => typeName).sort();
    for (const { file } of all) collect(file, this.#files);
  }

  fileNamed(name: string): DescFile | undefined {
    // protoc-gen-es leaves the suffix out of names.
    return [...this.#files].find((file) => file.name === name || `${file.name}.proto` === name);
  }

  fileWith(symbol: string): DescFile | undefined {
    return [...this.#files].find((file) => declares(file, symbol));
  }
}

/** A service, a method of one, a message or an enum, at any depth. */
function declares({ services, messages, enums }: DescFile, symbol: string): boolean {
  return (
    services.some(
      ({ typeName, methods }) =>
        typeName === symbol || methods.some((method) => `${typeName}.${method.name}` === symbol),
    ) ||
    messages.some(({ typeName }) => typeName === symbol || symbol.startsWith(`${typeName}.`)) ||
    enums.some(({ typeName }) => typeName === symbol)
  );
}
