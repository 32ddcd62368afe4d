// What a mapped function returned becomes a response.

import { HemiError } from "../../errors/hemi-error.ts";
import type { Response } from "../response/response.ts";
import type { Route } from "./route-tree.ts";

/**
 * `route` is for messages. Throws HEMI_HEAD_SENT where it has answered already, and HEMI_USAGE for what cannot be an answer. `undefined` is
 * one only where the function has begun to answer by itself: nobody else will.
 */
export function sendAnswer(resp: Response, answer: unknown, route: Route<unknown>): void {
  if (answer === undefined) {
    if (resp.isHeadSent) return;
    const advice = "return what is to be sent; to send it later by resp, return a promise";
    throw new HemiError("HEMI_USAGE", `${titleOf(route)} was done without an answer: ${advice}`);
  }
  if (typeof answer === "string") {
    resp.send(answer);
  } else if (answer instanceof Uint8Array) {
    if (resp.header("content-type") === undefined) resp.setHeader("content-type", "application/octet-stream");
    resp.send(answer);
  } else {
    const way = typeof answer === "object" && answer !== null ? otherWayFor(answer) : undefined;
    if (way !== undefined) throw new HemiError("HEMI_USAGE", `${titleOf(route)} returned ${way}`);
    resp.sendJSON(answer);
  }
}

/** Sends what a mapped function promised. */
export async function sendPromised(
  resp: Response,
  promise: PromiseLike<unknown>,
  route: Route<unknown>,
): Promise<boolean> {
  sendAnswer(resp, await promise, route);
  return true;
}

/** For what JSON would make an empty object of: what it is, and how it is sent. */
function otherWayFor(answer: object): string | undefined {
  if (answer instanceof globalThis.Response)
    return "a Response of the web: send its body by resp, or serve the app by fetchHandlet";
  const isList = Array.isArray(answer) || ArrayBuffer.isView(answer);
  const isIterator = "next" in answer && typeof answer.next === "function";
  if (!isList && (Symbol.asyncIterator in answer || isIterator || "pipe" in answer)) {
    return "a stream or generator: send it by await resp.sendStream()";
  }
  return undefined;
}

function titleOf({ method, pattern }: Route<unknown>): string {
  return `${method ?? "any method"} ${pattern.text}`;
}
