// Why a connection is over, in words for a log.

import { errorName } from "../http3/errors.ts";
import type { NativeConn, NativeError } from "./native.ts";

/** `undefined`: nothing is known. */
export function whyClosed(native: NativeConn): string | undefined {
  const theirs = native.peerError();
  if (theirs !== null) return `it closed the connection with ${nameOf(theirs)}`;
  const ours = native.localError();
  if (ours !== null) return `the connection failed with ${nameOf(ours)}`;
  return native.isTimedOut() ? "nothing came from it for too long" : undefined;
}

function nameOf({ isApp, errorCode }: NativeError): string {
  if (isApp) return errorName(errorCode);
  const alert = errorCode >= firstAlert && errorCode < firstAlert + 256 ? errorCode - firstAlert : undefined;
  if (alert === undefined) return `the error 0x${errorCode.toString(16)} of QUIC`;
  return `the alert ${alert} of TLS${alerts.has(alert) ? `: ${alerts.get(alert)}` : ""}`;
}

/** RFC 9001 4.8: alerts of TLS as errors of QUIC. */
const firstAlert = 0x100;

/** RFC 8446 6.2, RFC 7301 3.2: those that a wrong configuration leads to. */
const alerts: ReadonlyMap<number, string> = new Map([
  [40, "the two sides have no parameters in common"],
  [42, "bad certificate"],
  [45, "the certificate has expired"],
  [46, "the certificate cannot be used"],
  [48, "the certificate is of an unknown authority"],
  [70, "no version in common"],
  [112, "unknown server name"],
  [116, "a client certificate is required"],
  [120, "no protocol in common: does it speak HTTP/3?"],
]);
