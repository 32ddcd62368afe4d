// The metadata that ends a call: its trailers, and what its error carries.

import { Metadata, type RpcError } from "@hemi/common/rpc";

/** The trailers of a call that has failed, or not. */
export function withErrorMetadata(trailers: Metadata | undefined, error: RpcError | undefined): Metadata {
  if (error?.metadata === undefined) return trailers ?? new Metadata();
  return Metadata.received([...(trailers ?? []), ...error.metadata]);
}
