// The peer for RPC: a server of @grpc/grpc-js.

import { create, fromBinary, toBinary, type DescMessage, type DescMethod, type MessageShape } from "@bufbuild/protobuf";
import {
  Server,
  ServerCredentials,
  type MethodDefinition,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { Bench, MessageSchema, type Message } from "./bench_pb.ts";

function definition({ name, input, output, methodKind }: DescMethod): MethodDefinition<object, object> {
  const encode = (desc: DescMessage) => (message: object) =>
    Buffer.from(toBinary(desc, message as MessageShape<DescMessage>));
  const decode = (desc: DescMessage) => (bytes: Buffer) => fromBinary(desc, bytes);
  return {
    path: `/${Bench.typeName}/${name}`,
    requestStream: methodKind === "client_streaming",
    responseStream: methodKind === "server_streaming",
    requestSerialize: encode(input),
    requestDeserialize: decode(input),
    responseSerialize: encode(output),
    responseDeserialize: decode(output),
  };
}

const methods = Object.fromEntries(Bench.methods.map((method) => [method.localName, definition(method)]));

const server = new Server({ "grpc.max_receive_message_length": 4 * 1024 * 1024 });
server.addService(methods, {
  echo({ request }: ServerUnaryCall<Message, Message>, done: sendUnaryData<Message>) {
    done(null, create(MessageSchema, { body: request.body }));
  },
  async repeat(call: ServerWritableStream<Message, Message>) {
    const { body, count } = call.request;
    for (let i = 0; i < count; i++) {
      if (!call.write(create(MessageSchema, { body }))) await new Promise((resolve) => call.once("drain", resolve));
    }
    call.end();
  },
  upload(call: ServerReadableStream<Message, Message>, done: sendUnaryData<Message>) {
    let count = 0;
    call.on("data", ({ body }: Message) => (count += body.length));
    call.on("end", () => done(null, create(MessageSchema, { count })));
  },
});
server.bindAsync(`127.0.0.1:${process.env["PORT"]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
