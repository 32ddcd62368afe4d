// How urgent a response is to its client (RFC 9218).

import { listMembers } from "../http/list-members.ts";

/** The priority parameters of a request (RFC 9218 4). */
export interface Priority {
  /** 0, the most urgent, to 7. */
  readonly urgency: number;
  /** The client makes use of parts of it: it may share the connection with others like it. */
  readonly isIncremental: boolean;
}

/** What is not said (RFC 9218 4). */
export const defaultPriority: Priority = { urgency: 3, isIncremental: false };

/**
 * Reads the field `priority`, a dictionary such as `u=1, i`. What is not understood in it is passed over (RFC 9218 4),
 * and so is what stands behind the first `maxListMembers` members.
 */
export function parsePriority(text: string): Priority {
  let { urgency, isIncremental } = defaultPriority;
  for (const member of listMembers(text)) {
    const [item = ""] = member.split(";", 1);
    const known = /^[ \t]*(?:u=([0-7])|i(?:=\?([01]))?)[ \t]*$/.exec(item);
    if (known === null) continue;
    if (known[1] === undefined) isIncremental = known[2] !== "0";
    else urgency = Number(known[1]);
  }
  return { urgency, isIncremental };
}
