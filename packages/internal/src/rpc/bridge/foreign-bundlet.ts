// A service of foreign gRPC servers as a bundlet of ours: each call is passed on.

import type { DescService, Registry } from "@bufbuild/protobuf";
import {
  onlyMessage,
  RpcError,
  streamsIn,
  streamsOut,
  wireNameOf,
  type Procedure,
  type Transport,
} from "@hemi/common/rpc";
import { describedBundlet } from "@hemi/common/rpc-proto";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Call } from "../call.ts";
import { isAsyncIterable } from "../call-run.ts";
import { ServedProcedure, type ServedBundlet } from "../served-bundlet.ts";

export interface ForeignService {
  readonly service: DescService;
  /** For what stands in google.protobuf.Any. */
  readonly registry: Registry;
  /** The way to the servers. */
  readonly transport: Transport;
  /** Tells of servers that cannot be reached. */
  readonly log: ErrorLog;
}

export function foreignBundlet({ service, registry, transport, log }: ForeignService): ServedBundlet {
  const bundlet = describedBundlet(service, { registry });
  const procedures = Object.entries(bundlet.procedures).map(([name, procedure]) => {
    const path = `/${bundlet.name}/${wireNameOf(name, procedure)}`;
    const invoke = (input: unknown, call: Call): unknown => {
      const messages = passOn(transport, path, procedure, input, call, log);
      return streamsOut(procedure.kind) ? messages : onlyMessage(messages);
    };
    return new ServedProcedure(path, procedure, invoke, {});
  });
  return { bundlet, procedures };
}

/** Makes the same call at a server, within the deadline of the one that came. */
async function* passOn(
  transport: Transport,
  path: string,
  procedure: Procedure,
  input: unknown,
  call: Call,
  log: ErrorLog,
): AsyncGenerator<unknown, void, void> {
  try {
    yield* transport.call({
      path,
      procedure,
      inputs: streamsIn(procedure.kind) && isAsyncIterable(input) ? input : [input],
      metadata: call.metadata,
      timeout: call.timeLeft,
      signal: call.signal,
      headersCame: (headers) => call.headers.addAll(headers),
      trailersCame: (trailers) => call.trailers.addAll(trailers),
    });
  } catch (error) {
    // What has a cause is our own word about a failure, with addresses of servers: for the log, not for the client.
    if (!(error instanceof RpcError) || error.cause === undefined) throw error;
    log.warn(`${path}: ${error.message}`, { error: error.cause });
    // An answer that cannot be decoded is not the fault of our client.
    throw new RpcError(error.code === "invalid_argument" ? "internal" : error.code);
  }
}
