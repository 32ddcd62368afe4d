// For tests: a foreign gRPC server, by @grpc/grpc-js, with the services of interop.proto and library.proto.

import { setTimeout as sleep } from "node:timers/promises";
import { create, fromBinary, toBinary, type DescMessage, type DescMethod, type DescService } from "@bufbuild/protobuf";
import {
  Metadata,
  Server,
  ServerCredentials,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { TestService, type SimpleRequest, type StreamingOutputCallRequest } from "./interop_pb.ts";
import { Library, type CountRequest, type GetBookRequest } from "./library_pb.ts";

export interface GrpcJsServer extends AsyncDisposable {
  readonly port: number;
  /** What was noticed, in order. */
  readonly events: readonly string[];
}

/** `port`: default: any. */
export async function serveByGrpcJs(port = 0): Promise<GrpcJsServer> {
  const events: string[] = [];
  const server = new Server();
  server.addService(definitionOf(TestService), testImplementation(events));
  server.addService(definitionOf(Library), libraryImplementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
  return { port: bound, events, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

function definitionOf({ methods, typeName }: DescService): Record<string, MethodDefinition<object, object>> {
  const encode = (desc: DescMessage) => (message: object) => Buffer.from(toBinary(desc, create(desc, { ...message })));
  const decode = (desc: DescMessage) => (bytes: Buffer) => fromBinary<DescMessage>(desc, bytes);
  const one = ({ name, input, output, methodKind }: DescMethod): MethodDefinition<object, object> => ({
    path: `/${typeName}/${name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: encode(input),
    requestDeserialize: decode(input),
    responseSerialize: encode(output),
    responseDeserialize: decode(output),
  });
  return Object.fromEntries(methods.map((method) => [method.localName, one(method)]));
}

type Done = (error: object | null, message?: object, trailers?: Metadata) => void;

function testImplementation(events: string[]): UntypedServiceImplementation {
  return {
    emptyCall: (_call: unknown, done: Done) => done(null, {}),
    unaryCall(
      call: {
        request: SimpleRequest;
        metadata: Metadata;
        sendMetadata(metadata: Metadata): void;
        on(event: "cancelled", listener: () => void): void;
      },
      done: Done,
    ) {
      const { responseSize, payload, responseStatus, behavior } = call.request;
      const headers = new Metadata();
      for (const value of call.metadata.get("x-asked")) headers.add("x-head", value);
      call.sendMetadata(headers);
      const trailers = new Metadata();
      trailers.set("x-trail-bin", Buffer.from([1, 255]));
      if (behavior === "hang") {
        events.push("hangs");
        return call.on("cancelled", () => void events.push("cancelled"));
      }
      const { code = 0, message = "" } = responseStatus ?? {};
      if (code !== 0) return done({ code, details: message, metadata: trailers });
      done(null, { payload: { body: new Uint8Array(responseSize) }, username: String(payload?.body.length) }, trailers);
    },
    async streamingOutputCall(call: ServerWritableStream<StreamingOutputCallRequest, object>) {
      call.on("cancelled", () => void events.push("cancelled"));
      for (const { size } of call.request.responseParameters) call.write({ payload: { body: new Uint8Array(size) } });
      while (call.request.behavior === "forever" && !call.cancelled) await sleep(1);
      call.end();
    },
    async streamingInputCall(call: AsyncIterable<{ payload?: { body: Uint8Array } }>, done: Done) {
      let aggregatedPayloadSize = 0;
      for await (const { payload } of call) aggregatedPayloadSize += payload?.body.length ?? 0;
      done(null, { aggregatedPayloadSize });
    },
    async fullDuplexCall(call: ServerDuplexStream<StreamingOutputCallRequest, object>) {
      for await (const { responseParameters } of call as AsyncIterable<StreamingOutputCallRequest>) {
        for (const { size } of responseParameters) call.write({ payload: { body: new Uint8Array(size) } });
      }
      call.end();
    },
  };
}

const libraryImplementation: UntypedServiceImplementation = {
  getBook({ request }: { request: GetBookRequest }, done: Done) {
    done(null, { procedure: "grpc-js", json: `${request.name} ${request.filter?.tags.join() ?? ""}` });
  },
  watch(call: ServerWritableStream<CountRequest, object>) {
    for (let at = 0; at < call.request.count; at++) call.write({ procedure: `message ${at}` });
    call.end();
  },
};
