// The span of a call, by the names of OpenTelemetry's semantic conventions for RPC.

import { rpcCodes, type RpcError } from "@hemi/common/rpc";
import type { Call } from "./call.ts";

/** Below the call that it is made for, or the handlet that serves it; if its request is traced. */
export function beginCallSpan(call: Call): void {
  const { trace, parentSpan, path, req } = call;
  if (trace === undefined) return;
  const name = path.slice(1);
  const span = (call.span = trace.begin(name, "internal", parentSpan?.spanId));
  if (span === undefined) return;
  Object.assign(span.attributes, {
    "rpc.system": systemOf(req?.header("content-type")),
    "rpc.service": name.slice(0, name.indexOf("/")),
    "rpc.method": name.slice(name.indexOf("/") + 1),
  });
}

export function endCallSpan({ trace, span }: Call, error: RpcError | undefined): void {
  if (trace === undefined || span === undefined) return;
  span.attributes["rpc.grpc.status_code"] = error === undefined ? 0 : rpcCodes[error.code];
  trace.end(span, error?.code);
}

/** `contentType`: `undefined` for a call that has no request of its own. */
function systemOf(contentType: string | undefined): string {
  if (contentType === undefined) return "hemi_local";
  const type = contentType.toLowerCase();
  if (type.startsWith("application/grpc")) return "grpc";
  return type === hrpcContentType ? "hrpc" : "connect_rpc";
}

/** Of calls that come by hrpc, as the rules of a webapp see them. */
export const hrpcContentType = "application/hrpc";
