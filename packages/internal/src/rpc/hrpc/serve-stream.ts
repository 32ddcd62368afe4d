// Runs a call that came on a session of hrpc.

import { Metadata, RpcError, type CalledStream, type RpcCode } from "@hemi/common/rpc";
import { CallRun, type CallHost } from "../call-run.ts";
import type { ServedProcedure } from "../served-bundlet.ts";
import { HrpcDoor, type HrpcOrigin } from "./hrpc-door.ts";

/** `served`: `undefined` if there is no procedure at the path of the call. */
export function serveStream(
  host: CallHost,
  served: ServedProcedure | undefined,
  stream: CalledStream,
  origin: HrpcOrigin,
): void {
  const { path, codec, timeout } = stream.head;
  if (served === undefined) return refuse(stream, "unimplemented", `there is no procedure ${path.slice(0, 200)}`);
  const { input, output } = served.procedure;
  if (codec === "proto" && (input.binary === undefined || output.binary === undefined)) {
    return refuse(stream, "unimplemented", "this procedure is not declared in protobuf: its messages travel as JSON");
  }
  const door = new HrpcDoor(stream, served, origin);
  const run = new CallRun(host, served, door, door, timeout);
  stream.onCancel = () => run.clientLeft();
  run.begin();
}

function refuse(stream: CalledStream, code: RpcCode, message: string): void {
  stream.finish({ error: new RpcError(code, message), trailers: new Metadata() });
}
