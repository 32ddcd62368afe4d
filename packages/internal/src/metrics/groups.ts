// All numbers that the engine counts, in one table. docs/metrics.md explains them to users, and a test compares both.
//
// Values of labels are names and signs of the configuration, or words of this table. Nothing that a peer sends is one:
// an attacker cannot make more of them.

import { countGroup, type NumberSpec } from "./count-group.ts";

function counter(metric: string, help: string, labels?: Readonly<Record<string, string>>): NumberSpec {
  return { type: "counter", metric, help, ...(labels && { labels }) };
}

function gauge(metric: string, help: string, labels?: Readonly<Record<string, string>>): NumberSpec {
  return { type: "gauge", metric, help, ...(labels && { labels }) };
}

const requests = (status: string): NumberSpec =>
  counter("hemi_requests", "Requests of clients that are over, by the class of their status.", { status });

/** What a component of the configuration has answered: a handlet, or a rule with a fixed response. */
export const requestGroup = countGroup("request", ["webapp", "rule", "handlet"], {
  // The first digit of the status is the place: see `RequestCounts`.
  none: requests("none"),
  status1xx: requests("1xx"),
  status2xx: requests("2xx"),
  status3xx: requests("3xx"),
  status4xx: requests("4xx"),
  status5xx: requests("5xx"),
  other: requests("other"),
  aborted: counter("hemi_requests_aborted", "Requests whose response was broken off, or whose client left."),
  received: counter("hemi_request_content_bytes", "Content of requests that was read."),
  sent: counter("hemi_response_content_bytes", "Content of responses that was sent."),
  durations: {
    type: "durations",
    metric: "hemi_request_duration_seconds",
    help: "From the complete head of a request to the end of its response, without tunnels.",
  },
});

export const webappGroup = countGroup("webapp", ["webapp"], {
  underWay: gauge("hemi_requests_under_way", "Requests that have begun and are not over."),
});

const conns = (outcome: string): NumberSpec =>
  counter("hemi_server_connections", "Connections of clients; sessions of datagrams.", { outcome });
const handshakes = (outcome: string): NumberSpec =>
  counter("hemi_server_tls_handshakes", "TLS handshakes with clients.", { outcome });

/** A server or a router: whatever listens. */
export const serverGroup = countGroup("server", ["server", "sign"], {
  accepted: conns("accepted"),
  refused: conns("refused"),
  open: gauge("hemi_server_open_connections", "Connections that are open."),
  fullHandshakes: handshakes("full"),
  resumedHandshakes: handshakes("resumed"),
  failedHandshakes: handshakes("failed"),
  refusedRequests: counter("hemi_server_refused_requests", "Requests that were refused before a webapp had them."),
});

const ended = (end: string): NumberSpec =>
  counter("hemi_connections", "Connections and sessions of datagrams of routers that are over, by their end.", { end });

/** A dealet of a router; without one: connections that none has taken. */
export const connGroup = countGroup("conn", ["router", "sign", "case", "dealet"], {
  complete: ended("complete"),
  handedOver: ended("handedOver"),
  clientAborted: ended("clientAborted"),
  nodeAborted: ended("nodeAborted"),
  notTaken: ended("notTaken"),
  refused: ended("refused"),
  noNode: ended("noNode"),
  idleTimeout: ended("idleTimeout"),
  maxDuration: ended("maxDuration"),
  nodeDown: ended("nodeDown"),
  error: ended("error"),
  shutdown: ended("shutdown"),
  underWay: gauge("hemi_connections_under_way", "Connections and sessions of datagrams that a dealet has."),
  received: counter("hemi_connection_received_bytes", "What has come from clients of routers."),
  sent: counter("hemi_connection_sent_bytes", "What was sent to clients of routers."),
  durations: {
    type: "durations",
    metric: "hemi_connection_connect_seconds",
    help: "From the beginning of a connection of a router until its node was connected.",
  },
});

export const backendGroup = countGroup("backend", ["backend", "sign"], {
  queued: gauge("hemi_backend_queued", "Requests and connections that wait for a node."),
  refused: counter("hemi_backend_refused", "Requests and connections that got no node."),
  retries: counter("hemi_backend_retries", "Attempts at another node, after a failure."),
});

const attempts = (outcome: string): NumberSpec =>
  counter("hemi_node_attempts", "Requests and connections to a node that are over.", { outcome });

/** A node as it is written in the configuration, whatever addresses its name has. */
export const nodeGroup = countGroup("node", ["backend", "sign", "node"], {
  good: attempts("good"),
  failed: attempts("failed"),
  abandoned: attempts("abandoned"),
  active: gauge("hemi_node_active", "Requests and connections that a node has."),
  usable: gauge("hemi_node_usable", "Addresses of the node that are up, not ejected and not drained."),
  stale: counter("hemi_node_stale_connections", "Kept connections that the node had closed when they were used."),
  ejections: counter("hemi_node_ejections", "How many times the node was ejected after failures."),
  durations: {
    type: "durations",
    metric: "hemi_node_attempt_duration_seconds",
    help: "From the choice of the node to the end of its response.",
  },
});

const queries = (outcome: string): NumberSpec =>
  counter("hemi_dns_queries", "DNS queries for names of backends and of forward proxies.", { outcome });

/** The namer of a worker. */
export const namerGroup = countGroup("namer", ["worker"], {
  found: queries("found"),
  none: queries("none"),
  failed: queries("failed"),
  durations: {
    type: "durations",
    metric: "hemi_dns_query_duration_seconds",
    help: "Of DNS queries, with all their tries.",
  },
});

const exported = (outcome: string): NumberSpec =>
  counter("hemi_exporter_spans", "Spans that an exporter was given.", { outcome });

const exportedLines = (outcome: string): NumberSpec =>
  counter("hemi_exporter_lines", "Lines of logs that an exporter was given.", { outcome });

/** An addon that exports spans or lines of logs. */
export const exporterGroup = countGroup("exporter", ["addon", "sign"], {
  sent: exported("sent"),
  dropped: exported("dropped"),
  sentLines: exportedLines("sent"),
  droppedLines: exportedLines("dropped"),
});

const limited = (outcome: string): NumberSpec =>
  counter("hemi_limiter_requests", "Requests that came to a limiter, by what became of them there.", { outcome });

/** A handlet that limits clients. */
export const limiterGroup = countGroup("limiter", ["webapp", "limiter"], {
  passed: limited("passed"),
  rate: limited("rate"),
  concurrent: limited("concurrent"),
  banned: limited("banned"),
  down: limited("down"),
  strikes: counter("hemi_limiter_strikes", "Responses that counted against their client."),
  bans: counter("hemi_limiter_bans", "Bans that have begun."),
  storeFailures: counter("hemi_limiter_store_failures", "How many times the store of rate limits did not answer."),
});

const calls = (code: string): NumberSpec =>
  counter("hemi_rpc_calls", "Calls of RPC procedures that are over, by how they ended.", { code });

/** A procedure, by whatever serves it: the name of the rpcServer, or of the webapp that an rpcHandlet stands in. */
export const rpcGroup = countGroup("rpc", ["server", "procedure"], {
  // The number of the code is the place: see `CallCounts`.
  ok: calls("ok"),
  canceled: calls("canceled"),
  unknown: calls("unknown"),
  invalidArgument: calls("invalid_argument"),
  deadlineExceeded: calls("deadline_exceeded"),
  notFound: calls("not_found"),
  alreadyExists: calls("already_exists"),
  permissionDenied: calls("permission_denied"),
  resourceExhausted: calls("resource_exhausted"),
  failedPrecondition: calls("failed_precondition"),
  aborted: calls("aborted"),
  outOfRange: calls("out_of_range"),
  unimplemented: calls("unimplemented"),
  internal: calls("internal"),
  unavailable: calls("unavailable"),
  dataLoss: calls("data_loss"),
  unauthenticated: calls("unauthenticated"),
  underWay: gauge("hemi_rpc_calls_under_way", "Calls that have begun and are not over."),
  durations: {
    type: "durations",
    metric: "hemi_rpc_call_duration_seconds",
    help: "From the head of a call to its end.",
  },
});

/**
 * What components count that have no group of their own: DNS queries by how they were answered, transactions. `event`
 * is a word of the component's code, such as `cacheHit`.
 */
export const eventGroup = countGroup("event", ["component", "sign", "event"], {
  count: counter("hemi_events", "What a component has counted, by its own words."),
});

/** A user with a database, as a proxy of databases has them. */
export const databaseGroup = countGroup("database", ["component", "user", "database"], {
  clients: gauge("hemi_database_clients", "Clients that have logged in."),
  servers: gauge("hemi_database_servers", "Connections to servers, in use or not."),
  transactions: counter("hemi_database_transactions", "Transactions that are over."),
  queries: counter("hemi_database_queries", "Queries of clients."),
});

/** A worker process. */
export const processGroup = countGroup("process", ["worker"], {
  startTime: gauge("hemi_process_start_time_seconds", "When the process started, since the epoch."),
  cpu: counter("hemi_process_cpu_seconds", "CPU time, of the user and of the system."),
  resident: gauge("hemi_process_resident_memory_bytes", "Resident memory."),
  heapUsed: gauge("hemi_process_heap_used_bytes", "Memory of JavaScript objects."),
  heapLimit: gauge("hemi_process_heap_limit_bytes", "The maximum of that memory."),
  external: gauge("hemi_process_external_memory_bytes", "Memory of buffers."),
  loopBusy: counter("hemi_process_event_loop_busy_seconds", "How long the event loop was not idle."),
  loopDelayMedian: gauge("hemi_process_event_loop_delay_median_seconds", "Delays of the event loop: the median."),
  loopDelayHigh: gauge("hemi_process_event_loop_delay_p99_seconds", "Delays of the event loop: percentile 99."),
  loopDelayMax: gauge("hemi_process_event_loop_delay_max_seconds", "Delays of the event loop: the longest."),
  collections: counter("hemi_process_garbage_collections", "Garbage collections."),
  collecting: counter("hemi_process_garbage_collection_seconds", "Time of garbage collections."),
  descriptors: gauge("hemi_process_open_descriptors", "Open file descriptors."),
  maxDescriptors: gauge("hemi_process_max_descriptors", "The limit of open file descriptors; 0: not known."),
});

/** All groups, in the order of their output. */
export const countGroups = [
  requestGroup,
  webappGroup,
  serverGroup,
  connGroup,
  backendGroup,
  nodeGroup,
  namerGroup,
  exporterGroup,
  limiterGroup,
  rpcGroup,
  eventGroup,
  databaseGroup,
  processGroup,
] as const;
