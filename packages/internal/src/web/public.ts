// What web/ has for programs and contrib packages: part of the public API.

export { currentTrace } from "./trace/tracing.ts";
export type { InjectRequest, InjectResponse } from "./wires/inject-request.ts";
export type * from "./explain/explanation.ts";
export { explainable, injectable, type Explainable, type Injectable } from "./server-capabilities.ts";
export { walkText } from "./explain/walk-text.ts";
export { AltServices } from "./dispatch/alt-services.ts";
export {
  cacherKind,
  defineCacher,
  selects,
  type CacherPart,
  type PurgeOptions,
  type Purgeable,
  type PurgeSelector,
  type WobjectWriter,
} from "./cache/cacher.ts";
export {
  explainCaches,
  managedCache,
  purgeCaches,
  type CacheExplanation,
  type CacherPurge,
  type ExplainedCache,
  type ManagedCache,
  type WobjectDescription,
} from "./cache/managed-cache.ts";
export { OpenWrites, type OpenWrite } from "./cache/open-writes.ts";
export { SpreadPurges } from "./cache/spread-purges.ts";
export type { LifetimeSource } from "./cache/rules/freshness.ts";
export type { StoredTimes } from "./cache/rules/reuse.ts";
export type { Usability } from "./cache/rules/storing.ts";
export type { Variant } from "./cache/rules/vary.ts";
export { matchesVariant } from "./cache/rules/vary.ts";
export { madeAt, type Wobject, type WobjectHead } from "./cache/wobject.ts";
export type { Session } from "./session/session.ts";
export {
  defineStater,
  staterKind,
  type SessionChange,
  type SessionCookie,
  type SessionEntry,
  type SessionWrite,
  type SessionWriteOptions,
  type StaterPart,
  type StoredSession,
} from "./session/stater.ts";
export { staterProps, storingStaterProps, cookieOf } from "./session/stater-props.ts";
export { codings, rankCodings, type Coding } from "./response/codings.ts";
export type { Content } from "./content/content.ts";
export {
  contentCodings,
  decodingFilter,
  parseContentCoding,
  type ContentCoding,
  type DecodingOptions,
} from "./content/content-decoding.ts";
export type { CookieOptions, Cookies } from "./request/cookies.ts";
export type { ContentFilter, FilterHook, PushPiece } from "./content/filter.ts";
export type { Form } from "./content/form/form.ts";
export type { FieldPart, FilePart, FormPart } from "./content/form/form-part.ts";
export type { UploadedFile } from "./content/form/uploaded-file.ts";
export { HostnameTable } from "./dispatch/hostnames.ts";
export { HTTPError } from "./http-error.ts";
export {
  defineHandlet,
  defineReviser,
  defineSocklet,
  handletKind,
  reviserKind,
  ruleKind,
  sockletKind,
  webappKind,
  type ExplainScope,
  type HandletPart,
  type ReviserPart,
  type RulePart,
  type SockletPart,
  type WebappPart,
} from "./kinds.ts";
export { authenticatedUser } from "./request/authenticated-user.ts";
export { LocalKey, type Locals } from "./request/locals.ts";
export { Mapper, type MappedFunction, type MapperOptions } from "./mapper/mapper.ts";
export type { Match, Route } from "./mapper/route-tree.ts";
export type { Params } from "./mapper/pattern.ts";
export { segmentedPath, slashInSegment } from "./request/path.ts";
export { pathPrefix, withoutPrefix } from "./request/path-prefix.ts";
export type { Queries } from "./request/queries.ts";
export { mediaTypeOf } from "./response/media-type.ts";
export { answerOtherMethod } from "./response/other-methods.ts";
export {
  representContent,
  representFile,
  sendRepresentation,
  type FileOptions,
  representSource,
  type Representation,
  type RepresentationOptions,
  type SourceOptions,
} from "./response/representation.ts";
export { memorySource, type OpenSource, type Source } from "./response/source.ts";
export type { Request } from "./request/request.ts";
export { sendStatusPage } from "./response/status-page.ts";
export type { KnownContent } from "./response/editable-head.ts";
export type { Response } from "./response/response.ts";
export type { SubrequestOptions, Subresponse } from "./wires/subrequest.ts";
export { compileFieldTemplate, faultOfFieldTemplate } from "./conditions/field-template.ts";
export {
  compileUri,
  faultOfUri,
  uriPieces,
  uriVariable,
  type UriNature,
  type UriPiece,
  type UriValue,
} from "./conditions/uri-template.ts";
export { webVariables } from "./conditions/variables.ts";
export { assertOrigin } from "./websocket/handshake.ts";
export { loadUpgrades, type AcceptOptions, type Upgrade } from "./websocket/upgrade.ts";
export { defaultSettings, webSocketProps, type WebSocketSettings } from "./websocket/websocket-props.ts";
export type { WebSocket, WebSocketEvents } from "./websocket/websocket.ts";
