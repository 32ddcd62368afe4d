// What the queries of a client need of those around them.

import type { ClientPipe, ConnEndReason } from "@hemi/internal";
import type { Cancels } from "../server/cancels.ts";
import type { ServerConn } from "../server/server-conn.ts";
import type { ParamSets } from "./session-params.ts";

/** What all clients of a proxy have in common. */
export interface QueryHost {
  /** Read at each use, because live props change them. */
  readonly settings: { readonly pooling: "transaction" | "session"; readonly maxStatements: number };
  readonly cancels: Cancels;
  readonly paramSets: ParamSets;
  count(event: QueryEvent): void;
  /** The client has left while the server works for it. */
  abandoned(server: ServerConn): void;
}

/** The session that the queries belong to. */
export interface QuerySession {
  readonly pipe: ClientPipe;
  servedBy(node: string): void;
  /** `error`: for the client. */
  close(error: Buffer | undefined, reason: ConnEndReason): void;
}

export type QueryEvent = "transaction" | "query" | "wait" | "serverLost" | "refused";
