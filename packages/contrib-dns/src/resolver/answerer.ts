// What doors need of a resolver.

import { capability } from "@hemi/internal";
import type { Query } from "../message/query.ts";

/** A reply, and how long a cache of HTTP may keep it. */
export interface Reply {
  readonly message: Buffer;
  /** In seconds. */
  readonly lifetime: number;
}

/** Answers queries, wherever they come from. */
export interface DnsAnswerer {
  /**
   * The reply, at once if no name server has to be asked. `limit`: the size that the client can take. Never rejects: a
   * failure is a reply, too.
   */
  answer(query: Query, limit: number): Reply | Promise<Reply>;
  /** From where a query for a name would be answered, in one line. */
  readonly description: string;
}

/** Answers queries of DNS. */
export const dnsAnswerer = capability<DnsAnswerer>("dns-answerer");
