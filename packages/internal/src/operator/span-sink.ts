// What takes the spans of traces.

import { capability } from "../component/capability.ts";
import type { Span } from "./span.ts";

/** Takes spans, at once and without failing: it queues them, and drops what is too much. */
export interface SpanSink {
  /** Takes a span that is over. */
  takeSpan(span: Span): void;
}

/** Offered by addons that export spans: see `traceTo` of webapps and routers. */
export const spanSink = capability<SpanSink>("span-sink");
