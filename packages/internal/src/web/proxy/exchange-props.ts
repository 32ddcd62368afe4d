// What all who pass requests on let one say: of the answer's fields, of further attempts, and of what is gathered.

import { prop } from "../../component/prop.ts";
import { handleTimeoutProps } from "../dispatch/handle-timeout.ts";
import { retryConditions } from "./retries.ts";

/** For whatever it is that a node is asked for. */
export const attemptProps = {
  /** Fields of the answer that take the place of those of their names. */
  setResponseHeaders: prop.dict(prop.template(), { default: {} }),
  /** Fields of the answer that stand beside those of their names. */
  addResponseHeaders: prop.dict(prop.template(), { default: {} }),
  /**
   * Fields of the answer, by names, that are not passed on, nor added: without `set-cookie`, no client is tied to its
   * node.
   */
  delResponseHeaders: prop.strings({ default: [] }),
  /** How often a request that failed is sent once more, to another node if there is one. */
  maxRetries: prop.integer({ default: 2, max: 100 }),
  /**
   * The wait before each of these attempts. With one, a node that has failed may be asked again once all others have
   * failed, too: it may have been restarted meanwhile.
   */
  retryInterval: prop.duration({ default: "0s" }),
  /**
   * What it may have failed by: `dial` (no connection, so that nothing was sent), `stale` (a kept connection was closed
   * before any answer), `broken` (it broke off before the head of an answer, or the head is malformed), `timeout`. But
   * for `dial`, a request must be one that may be made twice (GET, HEAD, OPTIONS, TRACE, PUT, DELETE), and its content,
   * if any, must be there still: see `bufferClientContent`.
   */
  retryOn: prop.list(prop.choice(retryConditions), { default: ["dial", "stale", "broken"] }),
  /** Statuses of answers that count as failures too, such as 502 and 503. */
  retryStatuses: prop.list(prop.integer({ min: 400, max: 599 }), { default: [] }),
  /** What `hash` of the backend's balancer goes by. Default: the client's address. */
  hashOn: prop.template(),
};

/** Limits in time for what is passed on by a proxy. */
export const passedTimeoutProps = {
  ...handleTimeoutProps,
  /**
   * Until something of the answer comes once the request is sent, and between two pieces of it: in place of
   * `readTimeout` of the backend. Then 504, or the
   * answer is broken off.
   */
  readTimeout: prop.duration({ min: "1ms", inherited: true, reload: "live" }),
  /** Without the node taking anything of what it is sent: in place of `writeTimeout` of the backend. Then 504. */
  writeTimeout: prop.duration({ min: "1ms", inherited: true, reload: "live" }),
};

/** For requests that may have content, and answers. */
export const exchangeProps = {
  ...attemptProps,
  /**
   * May the backend answer by `x-accel-redirect: /path`? Then the client gets what the webapp has at that path, ranges
   * and conditions looked at there; the backend's cookies, `content-type`, `-disposition`, `-language`, `cache-control`
   * and `expires` stay. A rule that is for that only says `$depth != "0"`.
   */
  accelRedirect: prop.bool({ default: false }),
  /**
   * The content of a request is gathered, up to `maxBufferedContent`, before a node is entered: slow clients keep no
   * node busy, and the request can be tried again. It costs as much memory for each request.
   */
  bufferClientContent: prop.bool({ default: false }),
  /** Of a request's content, in bytes, with `bufferClientContent`; what is larger is streamed. */
  maxBufferedContent: prop.size({ default: "16M", min: 1 }),
  /**
   * The content of an answer is gathered, up to `maxBufferedAnswer`: a slow client does not keep the node busy. Event
   * streams never are, nor answers with `x-accel-buffering: no`.
   */
  bufferServerContent: prop.bool({ default: false }),
  /** Of an answer's content, in bytes, with `bufferServerContent`; what is larger is streamed. */
  maxBufferedAnswer: prop.size({ default: "1M", min: 1 }),
  /**
   * POST and other methods that make no promise are tried again as well. Only for backends that notice what they have
   * done already.
   */
  retryAnyMethod: prop.bool({ default: false }),
};
