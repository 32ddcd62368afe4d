// The props of an HTTP server.

import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { frontProps } from "../front/front-props.ts";
import { http2Props } from "../http2/props.ts";
import { webappKind } from "../web/kinds.ts";
import { clientLimitProps } from "./client-limits.ts";
import { serverCertificateProps } from "./server-tls.ts";

const requestProps = {
  /** Time limit between two requests of a connection. After that the connection is closed. */
  idleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** Time limit from the first to the last byte of a request head. After that: 408. */
  headTimeout: prop.duration({ default: "20s", min: "1ms", inherited: true, reload: "live" }),
  /** Time limit between two pieces of request content. After that: 408. */
  contentTimeout: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * Minimum rate of request content, in bytes per second, averaged over the time that the server waits for it. Below
   * it: 408. 0: no minimum.
   */
  minContentRate: prop.size({ default: 128, inherited: true, reload: "live" }),
  /** The minimum rate applies only after the server has waited for content this long. */
  contentRateGrace: prop.duration({ default: "5s", inherited: true, reload: "live" }),
  /**
   * Time limit for the head of a response (after that: 503), and between two pieces of its content (after that the
   * response is aborted).
   */
  handleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** Time limit without progress while a response is sent. After that it is aborted. */
  writeTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** Maximum size of a request head, and of the trailers of its content. More: 431. */
  maxHeadSize: prop.size({ default: "16K", min: "1K", max: "256K", inherited: true, reload: "live" }),
  /** Maximum size of the request target. More: 414. */
  maxTargetSize: prop.size({ default: "8K", min: 64, max: "64K", inherited: true, reload: "live" }),
  /**
   * Whether request targets may contain unencoded UTF-8 (`/über`), which some clients send although RFC 3986 forbids
   * it. It is then percent-encoded for conditions and backends. Otherwise: 400.
   */
  rawUTF8InTargets: prop.bool({ default: false, inherited: true, reload: "live" }),
  /** Maximum number of fields of a request. More: 431. */
  maxFields: prop.integer({ default: 100, min: 1, max: 10_000, inherited: true, reload: "live" }),
};

const connProps = {
  /** Maximum number of requests on one connection. The last response has `connection: close`. */
  maxRequestsPerConn: prop.integer({ default: 100_000, min: 1, inherited: true, reload: "live" }),
  /**
   * Addresses of HTTP proxies that are trusted to name the client and its scheme. `$srcHost` is then the last address
   * in `forwardedField` that is not one of these proxies, or `unknown` if a trusted proxy names no address. `$scheme`
   * is `http` or `https` as they say of this client in `x-forwarded-proto`, or in `proto` of `forwarded`, and that of
   * the connection if they say nothing. The host that a proxy reports is left to the components that read it. Behind
   * `proxyProtocol`, the client named there is compared with this list.
   */
  trustForwarded: prop.addresses({ default: [], inherited: true, reload: "live" }),
  /**
   * The field in which the proxies of `trustForwarded` name the client. All of them must set it or append to it;
   * otherwise its content could come from a client. The same goes for `x-forwarded-proto`, which is read with
   * `x-forwarded-for`: the first of these proxies must set it or remove it, and the others may keep it. If it has
   * several values, each proxy must have appended one. No other field is read.
   */
  forwardedField: prop.choice(["x-forwarded-for", "forwarded"], {
    default: "x-forwarded-for",
    inherited: true,
    reload: "live",
  }),
};

type WebServerProps = typeof serverCertificateProps & typeof requestProps & typeof clientLimitProps & typeof connProps;

/** Those that mean the same whatever the version of HTTP and its transport. */
export const webServerProps: WebServerProps = {
  ...serverCertificateProps,
  ...requestProps,
  ...clientLimitProps,
  ...connProps,
};

/** Those of a server over TCP that do not tell who answers. */
export const httpServerProps = {
  ...frontProps,
  ...webServerProps,
  /**
   * Maximum time of discarding input. After that, the connection is closed when more input arrives; in HTTP/2, the
   * stream is reset.
   */
  maxLingerTime: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * Maximum input that is buffered while a request is served, such as pipelined requests. At about this size (plus one
   * read at most), reading the connection is paused.
   */
  maxBufferedInput: prop.size({ default: "64K", min: "1K", max: "1M", inherited: true, reload: "live" }),
  /**
   * Maximum size of unread request content that is discarded to keep the connection. With more content, or chunked
   * content, the connection is closed.
   */
  maxDiscardedContent: prop.size({ default: "64K", inherited: true, reload: "live" }),
  ...http2Props,
};

/** The webapps of a server. */
export const servedWebappsProps = {
  /**
   * The webapps that it serves, by name. Their hostnames tell which one a request is for; none: 421. Left out: all
   * webapps of the stage, those that other
   * servers name, too.
   */
  webapps: prop.list(prop.reference(webappKind), { default: [], aliases: ["forApps"], reload: "live" }),
};

export const httpxProps = {
  ...servedWebappsProps,
  ...httpServerProps,
};

export type HttpxSettings = PropsOf<typeof httpxProps>;
