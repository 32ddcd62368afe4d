// The story of a request that is under way.

import type { RequestStory } from "../../operator/request-stories.ts";
import type { OpenExchans } from "../dispatch/open-exchans.ts";
import { requestAttributes } from "./request-attributes.ts";

/** `undefined` if no request with this id is under way. `now`: in ms since the epoch. */
export function openStory(open: OpenExchans, requestId: string, now: number): RequestStory | undefined {
  const found = open.find(requestId);
  if (found === undefined) return undefined;
  const { req, resp } = found;
  const trace = req.sampledTrace;
  const duration = resp.age;
  return {
    requestId,
    traceId: req.traceId,
    startTime: trace?.startTime ?? now - duration,
    duration,
    isOver: false,
    attributes: {
      ...requestAttributes(req),
      "hemi.component": req.handlet?.path ?? resp.rule?.path ?? "",
      ...(resp.isHeadSent && { "http.response.status_code": resp.status }),
    },
    spans: trace?.spans ?? [],
  };
}
