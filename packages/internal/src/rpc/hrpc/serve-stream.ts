// Runs a call that came on a session of hrpc.

import { Metadata, RpcError, type CalledStream } from "@hemi/common/rpc";
import { CallRun, type CallHost } from "../call-run.ts";
import type { ServedProcedure } from "../served-bundlet.ts";
import { HrpcDoor } from "./hrpc-door.ts";
import type { HrpcOrigin } from "./hrpc-origin.ts";

/** `served`: `undefined` if there is no procedure at the path of the call. */
export function serveStream(
  host: CallHost,
  served: ServedProcedure | undefined,
  stream: CalledStream,
  origin: HrpcOrigin,
): void {
  const { exchan } = origin;
  const { path, codec } = stream.head;
  const refuse = (message: string): void => {
    const error = new RpcError("unimplemented", message);
    stream.finish({ error, trailers: new Metadata() });
    exchan?.end(error);
  };
  if (served === undefined) return refuse(`there is no procedure ${path.slice(0, 200)}`);
  const { input, output } = served.procedure;
  if (codec === "proto" && (input.binary === undefined || output.binary === undefined)) {
    return refuse("this procedure is not declared in protobuf: its messages travel as JSON");
  }
  const door = new HrpcDoor(stream, served, origin);
  const run = new CallRun(host, served, door, door, exchan?.timeLeft ?? stream.head.timeout);
  if (exchan === undefined) stream.onCancel = () => run.clientLeft();
  else exchan.req.onGone(() => run.clientLeft());
  run.begin();
}
