// For tests: a client of @grpc/grpc-js for the test service.

import {
  toBinary,
  fromBinary,
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  Client,
  credentials,
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import { TestService } from "./interop_pb.ts";

type Methods = (typeof TestService)["method"];

export interface UnaryOutcome<Message> {
  readonly message: Message;
  readonly initial: Metadata;
  readonly status: StatusObject;
}

/** Calls by grpc-js. */
export class GrpcClient implements AsyncDisposable {
  readonly client: Client;

  constructor(port: number, options = {}) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  }

  unary<Name extends "emptyCall" | "unaryCall" | "cacheableUnaryCall">(
    name: Name,
    request: MessageInitShape<Methods[Name]["input"]>,
    {
      metadata = new Metadata(),
      ...options
    }: CallOptions & { metadata?: Metadata; started?: (call: ClientUnaryCall) => void } = {},
  ): Promise<UnaryOutcome<MessageShape<Methods[Name]["output"]>>> {
    const { path, serialize, deserialize } = coder(TestService.method[name]);
    return new Promise((resolve, reject) => {
      let initial = new Metadata();
      let message: unknown;
      const call = this.client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        metadata,
        options,
        (error, value) => {
          if (error !== null) reject(error);
          message = value;
        },
      );
      options.started?.(call);
      call.on("metadata", (received: Metadata) => (initial = received));
      call.on("status", (status: StatusObject) => resolve({ message: message as never, initial, status }));
    });
  }

  serverStream(
    request: MessageInitShape<Methods["streamingOutputCall"]["input"]>,
    options: CallOptions = {},
  ): ClientReadableStream<MessageShape<Methods["streamingOutputCall"]["output"]>> {
    const { path, serialize, deserialize } = coder(TestService.method.streamingOutputCall);
    return this.client.makeServerStreamRequest(path, serialize, deserialize, request, options) as never;
  }

  clientStream(
    callback: (error: ServiceError | null, response?: MessageShape<Methods["streamingInputCall"]["output"]>) => void,
    options: CallOptions = {},
  ): ClientWritableStream<MessageInitShape<Methods["streamingInputCall"]["input"]>> {
    const { path, serialize, deserialize } = coder(TestService.method.streamingInputCall);
    return this.client.makeClientStreamRequest(path, serialize, deserialize, options, callback as never);
  }

  duplex(
    metadata = new Metadata(),
    options: CallOptions = {},
  ): ClientDuplexStream<
    MessageInitShape<Methods["fullDuplexCall"]["input"]>,
    MessageShape<Methods["fullDuplexCall"]["output"]>
  > {
    const { path, serialize, deserialize } = coder(TestService.method.fullDuplexCall);
    return this.client.makeBidiStreamRequest(path, serialize, deserialize, metadata, options) as never;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
  }
}

function coder(method: DescMethod): {
  path: string;
  serialize: (given: object) => Buffer;
  deserialize: (bytes: Buffer) => MessageShape<DescMessage>;
} {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    serialize: (given) => Buffer.from(toBinary(method.input, create(method.input, { ...given }))),
    deserialize: (bytes) => fromBinary(method.output, bytes),
  };
}
