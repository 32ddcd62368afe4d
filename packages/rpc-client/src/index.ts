// RPC for both ends: declares bundlets of procedures, and calls them. Runs in browsers and in Node.js.

export {
  bidiStreaming,
  bundlet,
  clientStreaming,
  isRpcCode,
  Metadata,
  rpcCodes,
  RpcError,
  schemaMessage,
  serverStreaming,
  unary,
  type BinaryForm,
  type Bundlet,
  type CallOptions,
  type Client,
  type ClientInterceptor,
  type ClientMethod,
  type ErrorDetail,
  type ErrorMetadata,
  type GivenOf,
  type Idempotency,
  type MessageType,
  type OutgoingCall,
  type ParentCall,
  type Procedure,
  type ProcedureDeclaration,
  type ProcedureKind,
  type Procedures,
  type RpcCode,
  type RpcErrorOptions,
  type SchemaMessage,
  type TakenOf,
  type Transport,
} from "@hemi/common/rpc";
export { client, type ClientOptions } from "./client.ts";
export { connectTransport, type ConnectOptions } from "./connect-transport.ts";
export { webSocketTransport, type WebSocketOptions, type WebSocketTransport } from "./web-socket-transport.ts";
