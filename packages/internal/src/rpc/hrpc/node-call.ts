// A call at the nodes of a backend: chosen, made, and made again elsewhere if it has never begun.

import { callOver, NotBegunError, reasonOf, RpcError, type OutgoingCall } from "@hemi/common/rpc";
import type { Backend, WorkOutcome } from "../../backend/backend.ts";
import type { BackendFailure } from "../../backend/failure.ts";
import type { Waiter } from "../../backend/node-group.ts";
import type { Node } from "../../backend/node.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import type { HrpcPool } from "./hrpc-pool.ts";

export interface CallAttempts {
  readonly owner: Pick<Backend<HrpcPool>, "enter" | "leave" | "forget" | "whyNoRetry">;
  /** Of a message of the answer, in bytes. */
  readonly maxMessageSize: number;
  /** For balancers that choose by it. */
  readonly key: string;
  /** The nodes that were tried, by all attempts of the call. */
  readonly tried: string[];
}

/** The messages of the answer. Throws RpcError. */
export async function* callNode(call: OutgoingCall, attempts: CallAttempts): AsyncGenerator<unknown, void, void> {
  const { owner, tried, key } = attempts;
  for (;;) {
    const node = await nodeFor(call, attempts, { key, stickTo: "", tried: [...tried] });
    tried.push(node.id);
    try {
      return yield* callAt(node, call, attempts);
    } catch (error) {
      if (!(error instanceof NotBegunError) || call.signal.aborted) throw error;
      // Inputs that come from a stream may have been read already.
      const why = Array.isArray(call.inputs) ? owner.whyNoRetry(tried) : "its inputs cannot be read again";
      if (why !== undefined) throw error;
    }
  }
}

async function* callAt(
  node: Node<HrpcPool>,
  call: OutgoingCall,
  { owner, maxMessageSize }: CallAttempts,
): AsyncGenerator<unknown, void, void> {
  const began = performance.now();
  // Whoever leaves the stream says nothing about the node.
  let outcome: WorkOutcome = "unknown";
  try {
    yield* callOver(await node.pool.take(call.signal), call, maxMessageSize);
    outcome = "good";
  } catch (error) {
    outcome = outcomeOf(error);
    throw error;
  } finally {
    owner.leave(node, outcome, performance.now() - began);
  }
}

/** An error of a procedure is an answer; only what tells that the node does not work counts against it. */
function outcomeOf(error: unknown): WorkOutcome {
  if (!(error instanceof RpcError) || error.code === "canceled") return "unknown";
  const isFailure = error.code === "unavailable" || error.code === "deadline_exceeded";
  return isFailure ? { failure: `${error.code}: ${error.message}` } : "good";
}

/** Rejects with NotBegunError if there is none, with the reason of the signal once that is aborted. */
async function nodeFor(call: OutgoingCall, { owner }: CallAttempts, wish: SelectionHint): Promise<Node<HrpcPool>> {
  const { signal } = call;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Node<HrpcPool>>();
  let isOver = false;
  const waiter: Waiter<HrpcPool> = {
    wish,
    entered(node) {
      if (isOver) return owner.leave(node, "unknown");
      isOver = true;
      resolve(node);
    },
    refused(failure: BackendFailure) {
      isOver = true;
      reject(new NotBegunError(failure.message, "unavailable", { cause: failure }));
    },
  };
  const abort = (): void => {
    if (isOver) return;
    isOver = true;
    owner.forget(waiter);
    reject(reasonOf(signal));
  };
  signal.addEventListener("abort", abort);
  owner.enter(waiter);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
