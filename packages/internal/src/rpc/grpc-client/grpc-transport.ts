// grpcTransport: calls gRPC servers over a backend that speaks HTTP/2.

import { Deadlines } from "@hemi/common";
import type { Transport } from "@hemi/common/rpc";
import type { WebBackend } from "../../http/web-backend.ts";
import type * as grpcCalls from "./grpc-call.ts";
import type { GrpcOptions } from "./grpc-call.ts";

export type { GrpcOptions } from "./grpc-call.ts";

/**
 * Calls gRPC servers over an http2Backend: `client(stock, { to: grpcTransport(() => props.toBackend.current) })`.
 * `backend` is asked at each call, because a reload may replace it. Messages that are declared in TypeScript travel as
 * `application/grpc+json`.
 */
export function grpcTransport(backend: () => WebBackend, options: GrpcOptions = {}): Transport {
  return {
    timers: deadlines,
    async *call(call) {
      const { callGrpc } = loaded.calls ?? (await load());
      yield* callGrpc(backend(), call, options);
    },
    callOnce(call) {
      const { calls } = loaded;
      if (calls !== undefined) return calls.callGrpcOnce(backend(), call, options);
      load()
        .then(({ callGrpcOnce }) => callGrpcOnce(backend(), call, options))
        .catch((error: unknown) => call.failed(error));
    },
  };
}

/** Of all calls by gRPC: a timer for each would cost as much as the rest of a small call. */
const deadlines = new Deadlines({ resolution: 20 });

type GrpcCalls = typeof grpcCalls;

const loaded: { calls: GrpcCalls | undefined } = { calls: undefined };

/** Protobuf is loaded by those who need it only. */
async function load(): Promise<GrpcCalls> {
  return (loaded.calls = await import("./grpc-call.ts"));
}
