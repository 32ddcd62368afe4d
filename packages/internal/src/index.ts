// The public API of the core, for programs and contrib packages. Everything else may change at any time.

// Errors
export { errorCodes, type ErrorCode } from "./errors/codes.ts";
export { HemiError } from "./errors/hemi-error.ts";
export { examineFile, examineFolder } from "./component/examine-files.ts";
export { PropError } from "./component/prop-error.ts";

// Stages
export { bootWith } from "./boot.ts";
export type { Boot, CorePack } from "./boot.ts";
export { Stage } from "./stage.ts";
export type { BootOptions } from "./stage/boot.ts";
export type { ComponentCost, ReloadCost } from "./stage/reload-cost.ts";
export { describeProps, listComponents, type DescribedProp, type ListedComponent } from "./stage/component-list.ts";
export { withoutSecrets } from "./component/secrets.ts";
export { modulesNamedIn, planBetween, type Fate, type Plan, type PlannedChange } from "./stage/plan.ts";
export { OnlyWorker, onlyWorker, type Workers } from "./stage/workers.ts";
export {
  rateLimitStore,
  type RateLimitStore,
  type Strike,
  type StrikeCount,
  type TokenDemand,
  type TokenGrant,
} from "./stage/limits/rate-limit-store.ts";
export {
  MemoryRateLimits,
  type MemoryRateLimitsOptions,
  type RateLimitState,
} from "./stage/limits/memory-rate-limits.ts";
export { lockService, type Lock, type LockOptions, type LockService } from "./stage/locks/lock-service.ts";
export { HeldLock, type HeldLockOptions } from "./stage/locks/held-lock.ts";
export { keepLock, type KeepLockOptions } from "./stage/locks/keep-lock.ts";
export { Readiness, type Ailment, type UnreadyComponent } from "./stage/readiness.ts";

// Traces
export { spanSink, type SpanSink } from "./operator/span-sink.ts";
export type { OpenSpan, Trace } from "./operator/trace.ts";

// Operators
export { Operator } from "./operator/operator.ts";
export type { Span, SpanKind } from "./operator/span.ts";
export type { RequestStories, RequestStory, StorySpan } from "./operator/request-stories.ts";
export type { AccessFacts, AccessFeed, AccessFilter } from "./operator/access-feed.ts";
export type { BackendReport, NodeOrder, NodeOrders, NodeReport, NodeState } from "./operator/node-orders.ts";

// Metrics
export { watchProcess } from "./metrics/process-figures.ts";
export { Metrics, type CountBlock, type CountReport, type CountSlice, type Exemplar } from "./metrics/metrics.ts";
export {
  increase,
  type CountGroup,
  type DurationSpec,
  type NumberSpec,
  type SeriesSpec,
} from "./metrics/count-group.ts";
export { DatabaseCounts } from "./metrics/database-counts.ts";
export { eventCounter } from "./metrics/events.ts";
export { countGroups, exporterGroup, limiterGroup, serverGroup } from "./metrics/groups.ts";
export { ownerLabels, ownLabels } from "./metrics/labels.ts";
export { metricsFormats, prometheusTextSteps, type MetricsFormat } from "./metrics/prometheus-text.ts";
export type { PreparedReload, Reloaded, ReloadOptions, ReloadPaths } from "./stage/prepared-reload.ts";
export type { ConfigSource } from "./stage/stage.ts";
export type { CheckedTree, ComponentsIn, DefinitionsIn, NamedComponentsIn, StageComponent } from "./stage/tree.ts";

// Configurations
export { ConfigError, problemsText } from "./config/config-error.ts";
export { problemPlace } from "./config/problem-text.ts";
export { formatConfig, type Formatted } from "./config/format.ts";
export { constant, env, join, ref, variable, type ConfigObject, type ConfigValue } from "./config/object.ts";
export type { Problem } from "./config/problem.ts";
export type { ConfigFiles } from "./config/files.ts";
export { filesOfSnapshot, SnapshotRecorder, type ConfigSnapshot } from "./config/snapshot.ts";

// Components
export { capability, type Capability } from "./component/capability.ts";
export type { NameOf } from "./component/props/references.ts";
export { compileCondition, type Condition } from "./component/condition.ts";
export {
  compilePartialCondition,
  more,
  type PartialCondition,
  type PartialVariableTable,
} from "./component/partial-condition.ts";
export type { Child } from "./component/context.ts";
export type { Context, StageFixtures, StageScope, Surroundings } from "./stage/context.ts";
export { isMadeBy, type CheckContext, type Declaration, type Definition } from "./component/definition.ts";
export type { Kind } from "./component/kind.ts";
export { addonKind, defineAddon } from "./stage/kinds/addon.ts";
export { defineOutgate, outgateKind } from "./stage/kinds/outgate.ts";
export { backendKind, defineBackend } from "./backend/kind.ts";
export { cronjobKind, defineCronjob } from "./stage/kinds/cronjob.ts";
export { checkCronProps, cronProps, type CronProps } from "./stage/cron/cron-props.ts";
export { parseSchedule, type Schedule } from "./stage/cron/schedule.ts";
export { ScheduledWork } from "./stage/cron/scheduled-work.ts";
export type { RunContext, RunFacts, Work } from "./stage/cron/job-run.ts";
export type { RunCause, RunOutcome, RunRecord } from "./stage/cron/run-history.ts";
export {
  cronjobHistories,
  listCronjobs,
  managedCronjob,
  previewCronjobs,
  runCronjob,
  type CronjobHistory,
  type CronjobStatus,
  type CronjobTimes,
  type ManagedCronjob,
} from "./stage/cron/managed-cronjob.ts";
export { isPack, pack, type Pack } from "./component/pack.ts";
export type { Part } from "./component/part.ts";
export { prop } from "./component/prop.ts";
export { examineModule, loadModule, ModuleError } from "./component/modules/load-module.ts";
export { faultDetails, type ModuleFault } from "./component/modules/module-fault.ts";
export type { Module } from "./component/props/files.ts";
export type { Duration, Size } from "./component/props/scalars.ts";
export {
  addressesIn,
  formatAddress,
  parseAddress,
  type Address,
  type AddressRange,
  type AddressSet,
} from "./component/props/addresses.ts";
export type { WrittenRecord } from "./component/props/collections.ts";
export type { Prop, PropsOf, PropsSchema } from "./component/props/prop-type.ts";
export type { Reference } from "./component/reference.ts";
export { compileTemplate, type Template } from "./component/template.ts";
export { variableTable, type VariableTable } from "./component/variables.ts";

// Explanations
export type { ConditionWalk } from "./component/explain-condition.ts";
export type { Origin } from "./config/origin.ts";
export { paintForTerminal, type WalkTextOptions } from "./component/explain-text.ts";
export type { ComponentLabel } from "./component/explain-rows.ts";

// Fixtures
export type { Clock } from "./fixtures/clock.ts";
export type { Fcache } from "./fixtures/fcache.ts";
export type { DirectoryEntry, Entry, FileEntry, MissingEntry, RefusedEntry } from "./fixtures/fcache-entry.ts";
export type { HostAddress } from "./fixtures/host-name.ts";
export type { Answer } from "./fixtures/name-answer.ts";
export type { Namer } from "./fixtures/namer.ts";

// Logs
export { MemorySink, type LogSink } from "./log/sink.ts";
export type { LogDetails, LogLevel, LogRecord } from "./log/record.ts";
export { entryOf, type LogEntry } from "./log/log-entry.ts";
export { exportedRecord, type ExportedLine } from "./log/exported-line.ts";
export { lineSink, type LineSink } from "./front/traffic-log/line-sink.ts";
export { Outage } from "./log/outage.ts";
export type { PathLevel } from "./log/path-levels.ts";
export { Tally } from "./log/tally.ts";
export { openErrorLog, type ErrorLog, type ErrorLogOptions, type OwnedErrorLog } from "./log/error-log.ts";

// Net
export type { Codec, CodecConn } from "./front/codecs.ts";
export { claimAddress } from "./front/claim-address.ts";
export { Front, type ClientAdmission, type FrontOptions, type OpenConn } from "./front/front.ts";
export { frontProps, type FrontSettings } from "./front/front-props.ts";
export { ServerCounts } from "./front/server-counts.ts";
export { pemOfKey } from "./front/tls/certificate.ts";
export { checkCertificatePair } from "./front/tls/tls-props.ts";
export { ticketKeyOf, type TicketKey } from "./front/tls/ticket-keys.ts";
export type { CertificateSource, ChallengeCertificate, SecureSite } from "./front/tls/certificate-source.ts";
export { clientTerms, noTerms, type ClientDemand, type ClientTerms } from "./front/tls/client-terms.ts";
export { Refusals, type RefusalsOptions } from "./front/refusals.ts";
export { Gate, type GateConn, type GateOptions } from "./front/gate.ts";
export { numericAddress } from "./net/numeric-address.ts";
export { maxClientHello, protocolsIn, serverNameIn } from "./net/tls/client-hello.ts";
export { ClientCertificate, type TlsFacts } from "./net/tls/tls-facts.ts";
export { Listeners, type Acceptor, type ListenAddress, type ListenerShare } from "./net/listener.ts";
export { addressKey, cannotListen, type BoundListener, type SocketSource } from "./net/bound-socket.ts";

// Backends
export type { Http1Outgate } from "./httpx/forward/http1-outgate.ts";
export type { NodeOwner } from "./backend/backend.ts";
export { Node, type NodeSpec } from "./backend/node.ts";
export { checkNodeTls, nodeTlsOptions, nodeTlsProps, type NodeTlsSettings } from "./backend/node-tls.ts";
export { BackendFailure, type FailureCode } from "./backend/failure.ts";
export type { SelectionHint } from "./backend/selection-hint.ts";
export {
  tunnelBackend,
  webBackend,
  type NodeResponseHead,
  type ResponseHandler,
  type BackendRequest,
  type TunnelBackend,
  type TunnelHandler,
  type WebBackend,
  type WebExchange,
} from "./http/web-backend.ts";

export {
  fcgiPrograms,
  scgiPrograms,
  type CgiBackend,
  type CgiParams,
  type CgiRequest,
  type ParamHandler,
} from "./cgi/programs.ts";

// Codecs: what another HTTP version is written against, see docs/codecs.md
export { capsule, CapsuleReader, capsuleType, type CapsuleHandler } from "./http/capsules.ts";
export type { CodecServer, CodecSettings } from "./http/codec-server.ts";
export { contentMayFollow, isStatusWithContent, responseHasContent } from "./http/content-rule.ts";
export { ContentRate } from "./http/content-rate.ts";
export type {
  AbortListener,
  EndListener,
  ExchanWire,
  Lineage,
  RequestHead,
  ResponseHead,
  TunnelHead,
} from "./http/exchan.ts";
export { ListedFields, noFields } from "./http/fields.ts";
export { fileEnded, readRegion } from "./http/file-region.ts";
export type { HeadLimits } from "./http/head-limits.ts";
export { hasDate } from "./http/response-head.ts";
export { ServerExchan, type ExchanCarrier } from "./http/server-exchan.ts";
export { StreamTunnel, type TunnelWire } from "./http/stream-tunnel.ts";
// … its node side
export { contentLengthIsDue } from "./http/node-exchan.ts";
export { KeptNodes } from "./http/kept-nodes.ts";
export { NodeConnTimeouts, type NodeConnTimeoutsOwner, type WaitedForConn } from "./http/node-conn-timeouts.ts";
export { StreamNodeExchan, type NodeWait, type StreamSource } from "./http/stream-node-exchan.ts";
export { ExchanTimeouts } from "./http/exchan-timeouts.ts";
export { StreamPool, type PooledConn } from "./http/stream-pool.ts";
export {
  requestGivenUp,
  StreamServerExchan,
  type StreamCarrier,
  type StreamWait,
} from "./http/stream-server-exchan.ts";
export { StreamTimeouts, type WaitingStream } from "./http/stream-timeouts.ts";
export {
  checkWebBackend,
  refuseProxyProtocol,
  webBackendProps,
  WebBackendPart,
  type WebBackendProps,
  type WebPoolOptions,
  type WebProtocol,
} from "./http/web-backend-part.ts";
// … and what one with many streams on a connection has in common with HTTP/2
export { TokenBucket } from "./http2/allowance.ts";
export type { DecodedBlock } from "./http2/hpack/decoder.ts";
export {
  nameFault,
  nameFaultOf,
  neverIndexedFields,
  sizeInTable,
  valueFault,
  type HeaderField,
} from "./http2/hpack/header-field.ts";
export { decodeHuffman, huffmanSize, maxDecodedSize, writeHuffman } from "./http2/hpack/huffman.ts";
export { readTrailers } from "./http2/message-fields.ts";
export {
  readHttp2ResponseHead as readResponseHead,
  type Http2NodeResponseHead as MultiplexedResponseHead,
} from "./http2/node-response-head.ts";
export { passedFields } from "./http2/request-heads.ts";
export { parsePriority, type Priority } from "./http2/priority.ts";
export {
  BadRequest,
  readHttp2RequestHead as readRequestHead,
  type Http2RequestHead as MultiplexedRequestHead,
} from "./http2/request-head.ts";
// Servers of webapps over another transport than TCP
export { allWebapps } from "./httpx/all-webapps.ts";
export { checkTimeouts } from "./httpx/check-timeouts.ts";
export { checkWebapps } from "./httpx/check-webapps.ts";
export { servedWebappsProps, webServerProps } from "./httpx/httpx-props.ts";
export { WebServer, type WebFront, type WebServerSettings } from "./httpx/web-server.ts";
export { shareOf } from "./stage/workers.ts";

// RPC
export { Call } from "./rpc/call.ts";
export { Identity } from "./rpc/identity.ts";
export type {
  Implementation,
  Implemented,
  ImplementOptions,
  Interceptor,
  ProcedureLimits,
} from "./rpc/implementation.ts";
export { grpcTransport, type GrpcOptions } from "./rpc/grpc-client/grpc-transport.ts";
export { reflect, type Reflection } from "./rpc/grpc-client/reflection.ts";
export { hrpcOutgate, type HrpcOutgate } from "./rpc/hrpc/hrpc-outgate.ts";
export { hrpcTransport, type HrpcOptions, type HrpcTransport } from "./rpc/hrpc/hrpc-transport.ts";
export { rpcBackend, type RpcBackend } from "./rpc/hrpc/rpc-backend.ts";
export { defineService, serviceKind, type ServicePart } from "./rpc/kinds.ts";
export { localTransport, type LocalOptions } from "./rpc/local-transport.ts";
export { implement, ServedProcedure, type Invoke, type ServedBundlet } from "./rpc/served-bundlet.ts";

// Web
export type { TrafficLogFormat } from "./front/traffic-log/format.ts";
export type { EndReason } from "./http/end-reason.ts";
export type { Endpoint, Peer } from "./net/peer.ts";
export type { FileRegion, HttpVersion } from "./http/exchan.ts";
export { ExchanError } from "./http/exchan-error.ts";
export { checkFieldName } from "./http/field-list.ts";
export { memoizeField } from "./http/field-memo.ts";
export { FieldNames, notInTrailers } from "./http/field-names.ts";
export type { Fields } from "./http/fields.ts";
export { hasListMember } from "./http/list-members.ts";
export { defineServer, serverKind, type ServerPart } from "./stage/kinds/server.ts";
export type { Probe } from "./backend/active-health.ts";
export {
  DatagramSockets,
  maxSendQueue,
  numericOnly,
  receiveBuffer,
  type DatagramBinding,
  type DatagramReceiver,
  type DatagramShare,
} from "./net/datagram-sockets.ts";
export type { JudgedHost } from "./net/allowed-addresses.ts";
export { splice, type SplicedOptions, type SplicedPair } from "./net/spliced.ts";
export { flushAtEndOfTurn, type Due } from "./net/end-of-turn.ts";
export { peerOf, plainAddress } from "./net/peer.ts";
export { RatePacer, type Pacer, type Policer } from "./net/pacer.ts";
export { ClientCounts, clientOf } from "./net/client-counts.ts";
export { connTaker, type ConnTaker } from "./front/conn-taker.ts";
export { Link, type LinkUser } from "./net/link.ts";

// Rooms with much to export say themselves what of them is public
export * from "./layer4/public.ts";
export * from "./web/public.ts";
