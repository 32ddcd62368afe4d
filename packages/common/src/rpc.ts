// The entry `@hemi/common/rpc`: what both ends of RPC share. Nothing in it needs Node.js: it runs in browsers, too.

export { fromBase64, toBase64, toBase64Url } from "./rpc/base64.ts";
export { bundlet, wireNameOf, type Bundlet, type Procedures } from "./rpc/bundlet.ts";
export { CallLimits, reasonOf, type CallTimers, type Cancelable, type ParentCall } from "./rpc/call-limits.ts";
export {
  ignoreMetadata,
  makeClient,
  onlyMessage,
  type CallOptions,
  type Client,
  type ClientInterceptor,
  type ClientMethod,
  type ClientSettings,
} from "./rpc/client.ts";
export { codeOfHttpStatus, codeOfNumber, httpStatusOf, isRpcCode, rpcCodes, type RpcCode } from "./rpc/codes.ts";
export {
  endOfStreamFromJson,
  endOfStreamToJson,
  errorFromJson,
  errorToJson,
  parseJson,
  type ConnectErrorJson,
  type EndOfStream,
} from "./rpc/connect-error.ts";
export {
  compressedFlag,
  envelope,
  envelopeHeadSize,
  tooLarge,
  writeEnvelopeHead,
  type Envelope,
} from "./rpc/envelope.ts";
export { EnvelopeReader } from "./rpc/envelope-reader.ts";
export type { HttpPath, HttpRule } from "./rpc/http-rule.ts";
export {
  codecOf,
  decodeMessage,
  encodeMessage,
  serializeMessage,
  type BinaryForm,
  type GivenOf,
  type MessageCodec,
  type MessageType,
  type TakenOf,
} from "./rpc/message-type.ts";
export { Metadata } from "./rpc/metadata.ts";
export {
  bidiStreaming,
  clientStreaming,
  serverStreaming,
  streamsIn,
  streamsOut,
  unary,
  type Idempotency,
  type Procedure,
  type ProcedureDeclaration,
  type ProcedureKind,
} from "./rpc/procedure.ts";
export { NotBegunError } from "./rpc/not-begun.ts";
export { backOff, pause } from "./rpc/retries.ts";
export { SingleCall } from "./rpc/single-call.ts";
export { RpcError, type ErrorDetail, type ErrorMetadata, type RpcErrorOptions } from "./rpc/rpc-error.ts";
export { schemaMessage, type SchemaMessage } from "./rpc/schema-message.ts";
export type { OutgoingCall } from "./rpc/outgoing-call.ts";
export type { Transport } from "./rpc/transport.ts";

export { callOnceOver, callOver } from "./rpc/hrpc/call-over.ts";
export { FrameReader } from "./rpc/hrpc/frame-reader.ts";
export {
  frame,
  frameFlags,
  frameTypes,
  goAwayCodes,
  preface,
  ProtocolFault,
  protocolName,
  type FrameTaker,
  type GoAwayCode,
} from "./rpc/hrpc/frames.ts";
export type { ReceivedMessage } from "./rpc/hrpc/inbox.ts";
export { noCompression, type MessageCompression } from "./rpc/hrpc/message-coding.ts";
export { initialSettings, type CallEnd, type CallHead, type PeerSettings } from "./rpc/hrpc/payloads.ts";
export type { CalledStream } from "./rpc/hrpc/called-stream.ts";
export { Callee, type CalleeOptions, type FloodLimit } from "./rpc/hrpc/callee.ts";
export type { Flushable, FrameTarget, SentMessage } from "./rpc/hrpc/frame-output.ts";
export { Session } from "./rpc/hrpc/session.ts";
export type { SessionCarrier } from "./rpc/hrpc/session-carrier.ts";
export type { SessionOptions } from "./rpc/hrpc/session-options.ts";
export type { StreamSession } from "./rpc/hrpc/stream.ts";
