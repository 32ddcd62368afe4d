// The props of a server of HTTP.

import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { frontProps } from "../front/front-props.ts";
import { http2Props } from "../http2/props.ts";
import { webappKind } from "../web/kinds.ts";
import { clientLimitProps } from "./client-limits.ts";
import { serverCertificateProps } from "./server-tls.ts";

export const httpxProps = {
  /**
   * The webapps that it serves, by name. Their hostnames tell which one a request is for; none: 421. Left out: all webapps of the stage, those that other
   * servers name, too.
   */
  webapps: prop.list(prop.reference(webappKind), { default: [], aliases: ["forApps"], reload: "live" }),
  ...frontProps,
  ...serverCertificateProps,
  /** Between two requests of a connection; then it is closed. */
  idleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** From the first byte of a request's head to its last; then 408. */
  headTimeout: prop.duration({ default: "20s", min: "1ms", inherited: true, reload: "live" }),
  /** Between two pieces of a request's content; then 408. */
  contentTimeout: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * Bytes a second that a request's content must come in at, on average over the time that it is waited for; else 408.
   * 0: any rate will do.
   */
  minContentRate: prop.size({ default: 128, inherited: true, reload: "live" }),
  /** Content that has not been waited for longer than this may come at any rate. */
  contentRateGrace: prop.duration({ default: "5s", inherited: true, reload: "live" }),
  /**
   * Until a handlet sends its head (then 503), and between two pieces of its content (then the answer is broken off).
   */
  handleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** Without the client taking anything of its answer; then it is broken off. */
  writeTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** Once we have read theirs away for this long, the connection is closed as soon as anything more comes. */
  maxLingerTime: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /** Of a request's head, and of the trailers of its content; more: 431. */
  maxHeadSize: prop.size({ default: "16K", min: "1K", max: "256K", inherited: true, reload: "live" }),
  /** Of the request target; more: 414. */
  maxTargetSize: prop.size({ default: "8K", min: 64, max: "64K", inherited: true, reload: "live" }),
  /**
   * Are request targets taken that hold UTF-8 as it is (`/über`), as some clients send it against RFC 3986? It is
   * percent-encoded then, for conditions and for backends. Else: 400.
   */
  rawUTF8InTargets: prop.bool({ default: false, inherited: true, reload: "live" }),
  /** Header fields of a request; more: 431. */
  maxFields: prop.integer({ default: 100, min: 1, max: 10_000, inherited: true, reload: "live" }),
  /**
   * Input that comes while a request is served and that no handlet asks for, such as the next requests of a client that
   * pipelines. At this size, give or take one read, the connection is not read any further until there is use for it.
   */
  maxBufferedInput: prop.size({ default: "64K", min: "1K", max: "1M", inherited: true, reload: "live" }),
  /**
   * Sized content that no handlet read is read away up to this, to keep the connection; with more, or in chunks, it is
   * closed.
   */
  maxDiscardedContent: prop.size({ default: "64K", inherited: true, reload: "live" }),
  ...clientLimitProps,
  /** Requests on one connection; the last one is answered with `connection: close`. */
  maxRequestsPerConn: prop.integer({ default: 100_000, min: 1, inherited: true, reload: "live" }),
  /**
   * Addresses of HTTP proxies that are believed when they say where a request comes from: `$srcHost` is then the last
   * address in `forwardedField` that is not one of theirs, or `unknown` where one of them names no address. What any
   * proxy says of scheme and host is left to who asks for it. Behind `proxyProtocol`, it is the client named there that
   * is looked for.
   */
  trustForwarded: prop.addresses({ default: [], inherited: true, reload: "live" }),
  /**
   * Where the proxies of `trustForwarded` say so. It must be a field that all of them set or add to, else it holds what
   * a client wrote into it; so there is one, and the other is not looked at.
   */
  forwardedField: prop.choice(["x-forwarded-for", "forwarded"], {
    default: "x-forwarded-for",
    inherited: true,
    reload: "live",
  }),
  ...http2Props,
};

export type HttpxSettings = PropsOf<typeof httpxProps>;
