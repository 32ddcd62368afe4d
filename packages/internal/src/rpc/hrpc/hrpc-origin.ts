// Where calls of hrpc come from: a connection, a WebSocket, or a server that calls back.

import type { Transport } from "@hemi/common/rpc";
import type { Peer } from "../../net/peer.ts";
import type { Identity } from "../identity.ts";
import type { CallExchan } from "./call-exchan.ts";

/** Where streams come from. */
export interface HrpcOrigin {
  readonly peer: Peer | undefined;
  /** Who has made the connection. */
  readonly identity: Identity;
  /** Calls back to whoever calls. */
  readonly caller: Transport;
  /** Where rules of a webapp stand before the procedures: how they have seen the call. */
  readonly exchan?: CallExchan;
}
