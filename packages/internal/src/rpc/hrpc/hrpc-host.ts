// What connections of hrpc need of those who serve their calls.

import type { CalledStream } from "@hemi/common/rpc";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Request } from "../../web/request/request.ts";
import type { RpcSettings } from "../rpc-props.ts";
import type { HrpcOrigin } from "./hrpc-origin.ts";

/** Serves calls. */
export interface HrpcHost {
  /** Read when used: live. */
  readonly settings: RpcSettings;
  readonly log: ErrorLog;
  /** Whether calls pass the rules of a webapp first, which `serveStream` is called behind. Live. */
  readonly isGuarded: boolean;
  serveStream(stream: CalledStream, origin: HrpcOrigin): void;
  /** Of a message for the procedure at a path, in bytes. */
  maxMessageSizeOf(path: string): number;
  /** Reports a fault of ours. `req`: the request that opened a WebSocket. */
  noteFault(error: unknown, req: Request | undefined): void;
}
