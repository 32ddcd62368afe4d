// RPC for both ends: declares bundlets of procedures, and calls them. Runs in browsers and in Node.js.

export { bundlet, type Bundlet, type Procedures } from "./bundlet.ts";
export type { ParentCall } from "./call-limits.ts";
export {
  client,
  type CallOptions,
  type Client,
  type ClientInterceptor,
  type ClientMethod,
  type ClientOptions,
} from "./client.ts";
export { isRpcCode, rpcCodes, type RpcCode } from "./codes.ts";
export { connectTransport, type ConnectOptions } from "./connect-transport.ts";
export type { BinaryForm, GivenOf, MessageType, TakenOf } from "./message-type.ts";
export { Metadata } from "./metadata.ts";
export {
  bidiStreaming,
  clientStreaming,
  serverStreaming,
  unary,
  type Idempotency,
  type Procedure,
  type ProcedureDeclaration,
  type ProcedureKind,
} from "./procedure.ts";
export { RpcError, type ErrorDetail, type ErrorMetadata, type RpcErrorOptions } from "./rpc-error.ts";
export { schemaMessage, type SchemaMessage } from "./schema-message.ts";
export type { OutgoingCall, Transport } from "./transport.ts";
