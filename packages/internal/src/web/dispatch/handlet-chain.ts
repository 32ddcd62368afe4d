// The handlets of a rule, tried in order until one takes the request.
//
//   handlet ── true ──> taken
//      │ └── a promise of true or false
//      └── false: nothing was sent, no content read ──> the next one ── none is left ──> the next rule
//
// Whatever else a handlet returns or throws is a fault that names it.

import type { Child } from "../../component/context.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { defaultMaxContentSize } from "../content/content-limits.ts";
import type { Trace } from "../../operator/trace.ts";
import type { HandletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { faultAt, type Fault } from "./fault.ts";
import type { RequestCounts } from "./request-counts.ts";

/** What may take a request, in order. */
export interface HandletChain {
  readonly handlets: readonly Child<HandletPart>[];
  /** Of each of them, at its index. */
  readonly counts: readonly (RequestCounts | undefined)[];
}

/** Tries the handlets from index `from` on. It is synchronous until one of them is asynchronous. */
export function tryHandlets(chain: HandletChain, req: Request, resp: Response, from = 0): boolean | Promise<boolean> {
  const { handlets, counts } = chain;
  req.handlets = handlets;
  for (let i = from; i < handlets.length; i++) {
    const handlet = handlets[i];
    if (handlet === undefined) break;
    req.handlet = handlet;
    resp.isOf(counts[i]);
    req.defaultMaxContentSize = handlet.part.defaultMaxContentSize ?? defaultMaxContentSize;
    try {
      const trace = req.sampledTrace;
      const taken = trace === undefined ? handlet.part.handle(req, resp) : tryTraced(trace, handlet, req, resp);
      if (taken === true) return true;
      if (taken !== false) {
        if (!isPromise(taken)) throw wrongReturn(handlet, taken, "");
        return tryBehind(taken, chain, i, handlet, req, resp);
      }
      assertUntouched(handlet, req, resp);
      if (req.startsAnew) return false;
    } catch (error) {
      throw faultAt(handlet.path, error);
    }
  }
  return false;
}

// The closures stand in functions of their own: one costs each call of its function, whether it is made or not.

function tryTraced(
  trace: Trace,
  { part, path }: Child<HandletPart>,
  req: Request,
  resp: Response,
): boolean | Promise<boolean> {
  return trace.run(path, () => part.handle(req, resp));
}

/** Tries the handlets behind `handlet`, at index `at`, once it is known whether that has taken the request. */
function tryBehind(
  taken: Promise<boolean>,
  chain: HandletChain,
  at: number,
  handlet: Child<HandletPart>,
  req: Request,
  resp: Response,
): Promise<boolean> {
  return taken.then(
    (taken: unknown) => {
      if (taken === true) return true;
      if (taken !== false) throw wrongReturn(handlet, taken, "a promise of ");
      assertUntouched(handlet, req, resp);
      return !req.startsAnew && tryHandlets(chain, req, resp, at + 1);
    },
    (error: unknown) => {
      throw faultAt(handlet.path, error);
    },
  );
}

/** Handlets may be written in JavaScript, without checks of their return type. */
function isPromise(returned: unknown): boolean {
  return typeof returned === "object" && returned !== null && "then" in returned;
}

function wrongReturn({ sign, path }: Child, returned: unknown, within: "" | "a promise of "): Fault {
  const isPlain = returned === null || returned === undefined || typeof returned === "number";
  const what = isPlain ? String(returned) : typeof returned === "object" ? "an object" : `a ${typeof returned}`;
  return faultAt(
    path,
    new HemiError(
      "HEMI_USAGE",
      `handle() of ${sign} returned ${within}${what}: it must return true (taken) or false (not mine), ` +
        "or a promise of one of them",
    ),
  );
}

/** A handlet that returns `false` must leave the exchan unchanged. */
function assertUntouched(handlet: Child, req: Request, resp: Response): void {
  if (!resp.isHeadSent && !req.isContentRead) return;
  throw faultAt(
    handlet.path,
    new Error(
      `${handlet.sign} returned false after it had ${resp.isHeadSent ? "begun to answer" : "read the content"}`,
    ),
  );
}
