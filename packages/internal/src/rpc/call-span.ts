// The span of a call, by the names of OpenTelemetry's semantic conventions for RPC.

import { rpcCodes, type RpcError } from "@hemi/common/rpc";
import type { OpenSpan, Trace } from "../operator/trace.ts";
import type { Call } from "./call.ts";

/** Below the handlet that serves the call. `undefined` where the request is not traced. */
export function beginCallSpan(trace: Trace | undefined, { path, req }: Call): OpenSpan | undefined {
  const name = path.slice(1);
  const span = trace?.begin(name, "internal");
  if (span === undefined) return undefined;
  const isGrpc = req?.header("content-type")?.toLowerCase().startsWith("application/grpc") === true;
  Object.assign(span.attributes, {
    "rpc.system": isGrpc ? "grpc" : "connect_rpc",
    "rpc.service": name.slice(0, name.indexOf("/")),
    "rpc.method": name.slice(name.indexOf("/") + 1),
  });
  return span;
}

export function endCallSpan(trace: Trace, span: OpenSpan, error: RpcError | undefined): void {
  span.attributes["rpc.grpc.status_code"] = error === undefined ? 0 : rpcCodes[error.code];
  trace.end(span, error?.code);
}
