// What `hemi logs` asks for: access lines of requests that a filter lets through.

import { HemiError, type AccessFilter } from "@hemi/hemi/base";

/** Begins to follow with a filter; goes on with the id of the answer. */
export type LogOrder = { readonly filter: AccessFilter } | { readonly follower: number };

/** Lines since the last answer. */
export interface LogLines {
  /** For the next call. Whoever does not call for 30 s follows no more. */
  readonly follower: number;
  /** One JSON object each, as of docs/access-log.md. */
  readonly lines: readonly string[];
  /** How many there were besides, too many to be kept. */
  readonly dropped: number;
}

/** Checks what a client sends. Throws HEMI_USAGE. */
export function readLogOrder(params: unknown): LogOrder {
  const { follower, filter } = fieldsOf(params);
  if (follower === undefined) return { filter: readFilter(fieldsOf(filter)) };
  if (typeof follower !== "number") throw new HemiError("HEMI_USAGE", "follower is the number of the answer before");
  return { follower };
}

function readFilter({ path, status, slow }: Readonly<Record<string, unknown>>): AccessFilter {
  if (path !== undefined && (typeof path !== "string" || path === "")) {
    throw new HemiError("HEMI_USAGE", "path is the beginning of a path, or the path of a component");
  }
  if (status !== undefined && (typeof status !== "string" || !/^[1-5](?:\d\d|xx)$/.test(status))) {
    throw new HemiError(
      "HEMI_USAGE",
      `status is a number such as 404 or a class such as 5xx, not ${JSON.stringify(status)}`,
    );
  }
  if (slow !== undefined && (typeof slow !== "number" || !(slow >= 0))) {
    throw new HemiError("HEMI_USAGE", "slow is a number of ms");
  }
  return {
    ...(path === undefined ? {} : { path }),
    ...(status === undefined ? {} : { status }),
    ...(slow === undefined ? {} : { slow }),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
