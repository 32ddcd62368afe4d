// When a request that failed may be sent once more.

import type { BackendFailure } from "../../backend/failure.ts";
import { isIdempotent } from "../../http/methods.ts";

export const retryConditions = ["dial", "stale", "broken", "timeout"] as const;

export type RetryCondition = (typeof retryConditions)[number];

export interface RetryRules {
  /** Beside the first attempt. */
  readonly maxRetries: number;
  /** Before each of them, in milliseconds. */
  readonly interval: number;
  readonly conditions: ReadonlySet<RetryCondition>;
  /** Answers that count as failures. */
  readonly statuses: ReadonlySet<number>;
  /** Requests that may not be made twice by the promise of their method are, all the same. */
  readonly withAnyMethod: boolean;
}

/** The rules of a proxy by its props. */
export function retryRulesOf(
  { maxRetries, retryInterval, retryOn, retryStatuses }: RetryProps,
  withAnyMethod: boolean,
): RetryRules {
  return {
    maxRetries,
    interval: retryInterval,
    conditions: new Set(retryOn),
    statuses: new Set(retryStatuses),
    withAnyMethod,
  };
}

interface RetryProps {
  readonly maxRetries: number;
  readonly retryInterval: number;
  readonly retryOn: readonly RetryCondition[];
  readonly retryStatuses: readonly number[];
}

export interface Attempted {
  readonly method: string;
  readonly attempts: number;
  /** `undefined`: a node answered, with one of the statuses. */
  readonly failure: BackendFailure | undefined;
  /** The content, if any, is still there to be sent. */
  readonly canReplay: boolean;
  /** The node that has failed; "" if it may be tried again. */
  readonly node: string;
  /** Why the backend takes no other attempt, with that node left out; `undefined` if it does. */
  readonly refusal: (node: string) => string | undefined;
}

/** Why not, in words for the log; `undefined` if it may. */
export function whyNotAgain(rules: RetryRules, attempted: Attempted): string | undefined {
  const { method, attempts, failure, canReplay, node, refusal } = attempted;
  if (failure?.code === "HEMI_BACKEND_BUSY") return "no node can take it";
  if (attempts > rules.maxRetries) return `it was tried ${attempts} times, which is what maxRetries allows`;
  const condition = failure === undefined ? undefined : conditionOf(failure);
  if (condition !== undefined && !rules.conditions.has(condition)) return `retryOn does not name "${condition}"`;
  if (failure?.wasSent !== false && !isIdempotent(method) && !rules.withAnyMethod) {
    return `it was sent, and a ${method} may not be done twice`;
  }
  if (!canReplay) return "its content has been passed on, and was not kept: see bufferClientContent";
  return refusal(node);
}

function conditionOf({ code, isStale, wasSent }: BackendFailure): RetryCondition {
  if (isStale) return "stale";
  if (!wasSent) return "dial";
  return code === "HEMI_TIMEOUT" ? "timeout" : "broken";
}
