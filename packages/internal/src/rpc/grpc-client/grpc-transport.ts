// grpcTransport: calls gRPC servers over a backend that speaks HTTP/2.

import type { Transport } from "@hemi/common/rpc";
import type { WebBackend } from "../../http/web-backend.ts";
import type { GrpcOptions } from "./grpc-call.ts";

export type { GrpcOptions } from "./grpc-call.ts";

/**
 * Calls gRPC servers over an http2Backend: `client(stock, { to: grpcTransport(() => props.toBackend.current) })`.
 * `backend` is asked at each call, because a reload may replace it. Messages that are declared in TypeScript travel as
 * `application/grpc+json`.
 */
export function grpcTransport(backend: () => WebBackend, options: GrpcOptions = {}): Transport {
  return {
    async *call(call) {
      // Protobuf is loaded by those who need it only.
      const { callGrpc } = await import("./grpc-call.ts");
      yield* callGrpc(backend(), call, options);
    },
  };
}
