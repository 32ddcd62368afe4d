// The part of the core that needs no component: errors, the error log, listening sockets. A process that supervises
// others loads this instead of the whole engine.

export { errorCodes, type ErrorCode } from "./errors/codes.ts";
export { HemiError } from "./errors/hemi-error.ts";
export { openErrorLog, type ErrorLog, type ErrorLogOptions, type OwnedErrorLog } from "./log/error-log.ts";
export { ModuleError } from "./component/modules/load-module.ts";
export { faultDetails, type ModuleFault } from "./component/modules/module-fault.ts";
export { CountTeller, type CountNews } from "./metrics/count-news.ts";
export { CountSum } from "./metrics/count-sum.ts";
export { countGroups } from "./metrics/groups.ts";
export { durationBounds, type CountGroup, type SeriesSpec } from "./metrics/count-group.ts";
export type { CountBlock, CountReport, CountSlice } from "./metrics/metrics.ts";
export type { RequestStory, StorySpan } from "./operator/request-stories.ts";
export type { AccessFilter } from "./operator/access-feed.ts";
export type { BackendReport, NodeOrder, NodeReport, NodeState } from "./operator/node-orders.ts";
export { logLevels, type LogDetails, type LogLevel, type LogRecord } from "./log/record.ts";
export type { PathLevel } from "./log/path-levels.ts";
export { entryOf, type LogEntry } from "./log/log-entry.ts";
export { LogFile } from "./log/log-file.ts";
export { MemorySink, type LogSink } from "./log/sink.ts";
export { StreamSink } from "./log/stream-sink.ts";
export {
  addressKey,
  bindSocket,
  bindSockets,
  placeOf,
  socketsOfAddress,
  type BindOptions,
  type ListenAddress,
} from "./net/bound-socket.ts";
export { MemoryRateLimits, type RateLimitState } from "./stage/limits/memory-rate-limits.ts";
export { LockTable, type HeldName, type LockState } from "./stage/locks/memory-locks.ts";
export type { Strike, StrikeCount, TokenDemand, TokenGrant } from "./stage/limits/rate-limit-store.ts";
