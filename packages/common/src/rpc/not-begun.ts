// A call that has never begun: whoever made it may repeat it, whatever it does.

import type { RpcCode } from "./codes.ts";
import { RpcError, type RpcErrorOptions } from "./rpc-error.ts";

/** The server has refused the call before it began, or was never reached: it may be repeated elsewhere. */
export class NotBegunError extends RpcError {
  constructor(message: string, code: RpcCode = "unavailable", options: RpcErrorOptions = {}) {
    super(code, message, options);
  }
}
