// Health checks of nodes by their health service, grpc.health.v1.

import { callOver, makeClient, type Transport } from "@hemi/common/rpc";
import { protoBundlet } from "@hemi/common/rpc-proto";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../builtin/health_pb.ts";
import type { HrpcPool } from "./hrpc-pool.ts";

const health = protoBundlet(Health);

/** What is wrong with a node; `undefined`: nothing. `pool`: for the connection of this check alone. */
export async function probeHealth(pool: HrpcPool, timeout: number, signal: AbortSignal): Promise<string | undefined> {
  const transport: Transport = {
    async *call(call) {
      yield* callOver(await pool.take(call.signal), call, maxAnswerSize);
    },
  };
  try {
    const { status } = await makeClient(health, transport, { retries: 0 }).check({}, { timeout, signal });
    return status === Status.SERVING ? undefined : `its health is ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    pool.destroy();
  }
}

/** In bytes. */
const maxAnswerSize = 1024;
