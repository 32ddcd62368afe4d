// Converts the return value of a mapped function to a response.

import { HemiError } from "../../errors/hemi-error.ts";
import type { Response } from "../response/response.ts";
import type { Route } from "./route-tree.ts";

/**
 * `route` is for messages. Throws HEMI_HEAD_SENT if the response has already been started, and HEMI_USAGE for a value
 * that cannot be a response. `undefined` is valid only if the function has started the response itself.
 */
export function sendAnswer(resp: Response, answer: unknown, route: Route<unknown>): void {
  if (answer === undefined) {
    if (resp.isHeadSent) return;
    const advice = "return what is to be sent; to send it later by resp, return a promise";
    throw new HemiError("HEMI_USAGE", `${titleOf(route)} returned without a response: ${advice}`);
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

/** Sends the result of a promise that a mapped function returned. */
export async function sendPromised(
  resp: Response,
  promise: PromiseLike<unknown>,
  route: Route<unknown>,
): Promise<boolean> {
  sendAnswer(resp, await promise, route);
  return true;
}

/** For objects that JSON would serialize as an empty object: the type, and how to send it. */
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
