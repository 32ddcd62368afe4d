// reflect: what a server tells about its services, by gRPC reflection.

import type { Transport } from "@hemi/common/rpc";
import type { Reflection } from "./reflected-service.ts";

export type { Reflection } from "./reflected-service.ts";

/**
 * Asks a server by gRPC reflection (grpc.reflection.v1, else v1alpha). Each method rejects with RpcError:
 * `unimplemented` if the server has none.
 */
export function reflect(transport: Transport): Reflection {
  // Protobuf is loaded by those who need it only.
  const load = async (): Promise<Reflection> => (await import("./reflected-service.ts")).askReflection(transport);
  return {
    listServices: async () => (await load()).listServices(),
    service: async (name) => (await load()).service(name),
    filesOf: async (symbol) => (await load()).filesOf(symbol),
  };
}
