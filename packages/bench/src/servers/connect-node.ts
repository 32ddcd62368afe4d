// The other peer for RPC: a server of @connectrpc/connect-node, on node:http2, or on node:http by `http1`.

import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Bench } from "./bench_pb.ts";

const handler = connectNodeAdapter({
  routes: (router) =>
    router.service(Bench, {
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
});

const server = process.argv[2] === "http1" ? createServer(handler) : createHttp2Server(handler);
server.listen(Number(process.env["PORT"]), "127.0.0.1");
