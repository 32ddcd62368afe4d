// What all who pass requests on let one say: of the answer's fields, of further attempts, and of what is gathered.

import { prop } from "../../component/prop.ts";
import { handleTimeoutProps } from "../dispatch/handle-timeout.ts";
import { retryConditions } from "./retries.ts";

/** For whatever it is that a node is asked for. */
export const attemptProps = {
  /** Fields of the response that replace those of the same name. */
  setResponseHeaders: prop.dict(prop.template(), { default: {} }),
  /** Fields that are added to those of the response. */
  addResponseHeaders: prop.dict(prop.template(), { default: {} }),
  /**
   * Names of response fields that are neither passed on nor added. Without `set-cookie`, there are no sticky sessions.
   */
  delResponseHeaders: prop.strings({ default: [] }),
  /** Maximum number of further attempts for a failed request, at another node if there is one. */
  maxRetries: prop.integer({ default: 2, max: 100 }),
  /**
   * The wait before each further attempt. If it is set, and all nodes have failed, they are tried again: one may have
   * restarted meanwhile.
   */
  retryInterval: prop.duration({ default: "0s" }),
  /**
   * The failures after which a request is retried: `dial` (no connection, nothing was sent), `stale` (a kept connection
   * was closed before any response), `broken` (the node broke off before the head of a response, or the head is
   * malformed), `timeout`. Except after `dial`, the method must be idempotent (GET, HEAD, OPTIONS, TRACE, PUT, DELETE),
   * and the content must still be there: see `bufferClientContent`.
   */
  retryOn: prop.list(prop.choice(retryConditions), { default: ["dial", "stale", "broken"] }),
  /** Statuses of responses that count as failures, such as 502 and 503. */
  retryStatuses: prop.list(prop.integer({ min: 400, max: 599 }), { default: [] }),
  /** The key of the balancer `hash` of the backend. Default: the client's address. */
  hashOn: prop.template(),
};

/** Limits in time for what is passed on by a proxy. */
export const passedTimeoutProps = {
  ...handleTimeoutProps,
  /**
   * Time limit for the start of the response after the request is sent (after that: 504), and between two pieces of it
   * (after that the response is aborted). Default: `readTimeout` of the backend.
   */
  readTimeout: prop.duration({ min: "1ms", inherited: true, reload: "live" }),
  /** Time limit without progress while the request is sent. After that: 504. Default: `writeTimeout` of the backend. */
  writeTimeout: prop.duration({ min: "1ms", inherited: true, reload: "live" }),
};

/** For requests that may have content, and answers. */
export const exchangeProps = {
  ...attemptProps,
  /**
   * Whether the backend may respond with `x-accel-redirect: /path`. The client then gets what the webapp has at that
   * path, with ranges and conditions. Of the backend's response, the cookies, `content-type`, `-disposition`,
   * `-language`, `cache-control` and `expires` are kept. The condition of a rule for such paths only is `$depth !=
   * "0"`.
   */
  accelRedirect: prop.bool({ default: false }),
  /**
   * Whether the content of a request is buffered, up to `maxBufferedContent`, before a node is chosen: slow clients
   * occupy no node, and the request can be retried. Each request needs that much memory.
   */
  bufferClientContent: prop.bool({ default: false }),
  /**
   * Maximum size of request content that is buffered with `bufferClientContent`, in bytes. Larger content is streamed.
   */
  maxBufferedContent: prop.size({ default: "16M", min: 1 }),
  /**
   * Whether the content of a response is buffered, up to `maxBufferedAnswer`: a slow client does not occupy the node.
   * Event streams and responses with `x-accel-buffering: no` are never buffered.
   */
  bufferServerContent: prop.bool({ default: false }),
  /**
   * Maximum size of response content that is buffered with `bufferServerContent`, in bytes. Larger content is streamed.
   */
  maxBufferedAnswer: prop.size({ default: "1M", min: 1 }),
  /**
   * Whether methods that are not idempotent, such as POST, are retried, too. For backends that detect repeated
   * requests.
   */
  retryAnyMethod: prop.bool({ default: false }),
};
