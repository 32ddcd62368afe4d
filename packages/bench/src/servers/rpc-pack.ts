// Our side of the RPC comparisons.

import { defineHandlet, defineService, implement, pack } from "@hemi/hemi";
import { protoBundlet } from "@hemi/rpc-client/proto";
import { envelope } from "@hemi/rpc-client/wire";
import { create, toBinary } from "@bufbuild/protobuf";
import { Bench, MessageSchema } from "./bench_pb.ts";
import { texts } from "./texts.ts";

const benchService = defineService({
  sign: "benchService",
  create: () => ({
    bundlets: [
      implement(protoBundlet(Bench), {
        echo: ({ body }) => ({ body }),
        async *repeat({ body, count }) {
          for (let i = 0; i < count; i++) yield { body };
        },
        async upload(messages) {
          let count = 0;
          for await (const { body } of messages) count += body.length;
          return { count };
        },
      }),
      implement(texts, { echo: ({ body }) => ({ body }) }),
    ],
  }),
});

const answer = envelope(0, toBinary(MessageSchema, create(MessageSchema, { body: new Uint8Array(100) })));

/** What RPC is measured against among ourselves: the content is read, and an answer sent that is there. */
const bareTrailers = defineHandlet({
  sign: "bareTrailers",
  create: () => ({
    async handle(req, resp) {
      await req.content.bytes();
      resp.setHeader("content-type", "application/grpc");
      resp.setTrailer("grpc-status", "0");
      await resp.echo(answer);
      resp.end();
      return true;
    },
  }),
});

export default pack("bench", [benchService, bareTrailers]);
