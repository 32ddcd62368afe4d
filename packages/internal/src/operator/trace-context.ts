// The W3C trace context: the fields traceparent and tracestate (W3C Recommendation "Trace Context", level 1).
//
//   traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//                │  trace id                         parent span id    flags: 01 = sampled
//                version

import { randomFillSync } from "node:crypto";

/** The fields of a request, as far as they matter here. */
interface Fields {
  get(name: string): string | undefined;
}

/** What a request says about the trace that it belongs to. */
export interface TraceParent {
  /** 32 hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** The span of the sender: 16 hexadecimal digits, not all 0. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** The field tracestate, to be passed on as it is; "" if there is none, or a bad one. */
  readonly state: string;
}

/**
 * Reads both fields. `undefined` if there is no traceparent, a malformed one, or two of them: a new trace is begun then
 * (section 4.3).
 */
export function readTraceParent(fields: Fields): TraceParent | undefined {
  const text = fields.get("traceparent");
  if (text === undefined || text.length > maxParent) return undefined;
  const [, version = "", traceId = "", spanId = "", flags = "", rest = ""] = parentSyntax.exec(text) ?? [];
  // A later version may have more at the end; version 00 has not, and ff is none.
  if (traceId === "" || version === "ff" || (version === "00" && rest !== "")) return undefined;
  if (allZero.test(traceId) || allZero.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1, state: readState(fields) };
}

/** The field for the next one, whose parent is the span. */
export function traceparentOf(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** 32 random hexadecimal digits. */
export function newTraceId(): string {
  return randomHex(16);
}

/** 16 random hexadecimal digits. */
export function newSpanId(): string {
  return randomHex(8);
}

/** Of repeated fields, `get` joins the values, as the specification has it. At most 512 characters are passed on. */
function readState(fields: Fields): string {
  const state = fields.get("tracestate") ?? "";
  return state.length <= maxState && state.split(",").length <= maxMembers && stateSyntax.test(state) ? state : "";
}

const parentSyntax = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const allZero = /^0+$/;
const stateSyntax = /^[\x20-\x7e\t]*$/;
/** Two fields are joined by `, `, which the syntax refuses; a later version is not much longer. */
const maxParent = 128;
const maxState = 512;
const maxMembers = 32;

const randomBytes = Buffer.alloc(4096);
/** The bytes that were not used yet begin here; there are none yet. */
let unused = randomBytes.length;
/** Of some of them, hexadecimal digits that were not used yet. */
let digits = "";

function randomHex(size: number): string {
  if (digits.length < 2 * size) digits = someDigits();
  const text = digits.slice(0, 2 * size);
  digits = digits.slice(2 * size);
  // An id of zeros is none; it will not happen.
  return allZero.test(text) ? randomHex(size) : text;
}

/** Of few bytes: an id may share their memory for as long as it is kept. */
function someDigits(): string {
  if (unused >= randomBytes.length) {
    randomFillSync(randomBytes);
    unused = 0;
  }
  return randomBytes.toString("hex", unused, (unused += digitBytes));
}

const digitBytes = 64;
