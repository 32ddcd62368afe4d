// What rpcHandlet and rpcServer examine and prepare. Apart from both: most configurations have no RPC, and need
// not load it.

import type { Context } from "../stage/context.ts";
import type { RpcDispatcher } from "./rpc-dispatcher.ts";
import type { RpcSettings } from "./rpc-props.ts";

/** One that is not prepared yet. Rejects with PropError if its services do not fit together; see `examine`. */
export async function examinedDispatcher(
  context: Pick<Context<RpcSettings>, "props" | "log" | "metrics" | "path">,
): Promise<RpcDispatcher> {
  const { RpcDispatcher } = await import("./rpc-dispatcher.ts");
  const dispatcher = new RpcDispatcher(context);
  dispatcher.examine();
  return dispatcher;
}
