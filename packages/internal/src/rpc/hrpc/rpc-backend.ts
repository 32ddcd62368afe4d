// The capability of backends that take calls of RPC: what `client` calls as a transport.

import type { Transport } from "@hemi/common/rpc";
import { capability } from "../../component/capability.ts";
import type { NodeChoice } from "../../backend/node-choice.ts";

/** A backend whose nodes are RPC servers. */
export interface RpcBackend extends Transport {
  /** Which node a call would go to, and what stands against each of the others. Has no side effects. */
  explain(): NodeChoice;
}

/** What backends offer that take calls: `prop.reference(backendKind, { offering: rpcBackend })`. */
export const rpcBackend = capability<RpcBackend>("rpc-backend");
