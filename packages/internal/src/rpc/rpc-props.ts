// The props of whatever serves RPC services.

import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { pathPrefix } from "../web/request/path-prefix.ts";
import { serviceKind } from "./kinds.ts";

export const rpcProps = {
  /** The services that it serves, by name. A procedure has the path `/shop.v1.Stock/find`. */
  services: prop.list(prop.reference(serviceKind), { required: true, min: 1, reload: "live" }),
  /**
   * Maximum size of a message from a client, in bytes, before and after decompression. More: `resource_exhausted`. A
   * service may set other limits for its procedures, of size, number and time.
   */
  maxMessageSize: prop.size({ default: "4M", min: 1, max: "1G", inherited: true, reload: "live" }),
  /** Maximum number of running calls of each procedure. One more: `resource_exhausted`. */
  maxCalls: prop.integer({ default: 10_000, min: 1, inherited: true, reload: "live" }),
  /**
   * Time limit for a unary call, from its head to its last byte: also for clients that set no deadline, or a later one.
   * After that: `deadline_exceeded`.
   */
  maxTime: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** The same for calls that stream, in whatever direction. */
  maxStreamTime: prop.duration({ default: "1h", min: "1ms", inherited: true, reload: "live" }),
  /** Whether answers are compressed for clients that accept gzip or Brotli. */
  compress: prop.bool({ default: true, inherited: true, reload: "live" }),
  /** Messages below this size are not compressed, in bytes. */
  minCompressedSize: prop.size({ default: "1K", inherited: true, reload: "live" }),
  /**
   * A prefix of all paths, for RPC beside web pages: with "/rpc", a procedure has the path `/rpc/shop.v1.Stock/find`.
   * gRPC clients cannot send a prefix.
   */
  stripPrefix: prop.string({ pattern: pathPrefix, reload: "live" }),
  /**
   * The path at which browsers open WebSockets for procedures that stream in both directions, such as "/hrpc"; see
   * `webSocketTransport` of `@hemi/rpc-client`. `stripPrefix` stands before it. Unset: there are none.
   */
  webSocket: prop.string({ pattern: pathPrefix }),
  /**
   * The origins whose pages may open such a WebSocket, such as `https://shop.example`; `*` for any. Unset: the page's
   * own host, and programs, which send no origin.
   */
  webSocketOrigins: prop.strings({ reload: "live" }),
  /** Whether gRPC's health checks are answered (grpc.health.v1), for the server and for each bundlet. */
  health: prop.bool({ default: true, reload: "live" }),
  /**
   * Whether clients may ask for the descriptors of all protobuf services (grpc.reflection v1 and v1alpha), as `grpcurl`
   * does.
   */
  reflection: prop.bool({ default: false, reload: "live" }),
  /** The path of an OpenAPI 3.1 description of all procedures, such as "/openapi.json". Unset: there is none. */
  openAPI: prop.string({ pattern: pathPrefix, reload: "live" }),
};

/** The settings of whatever serves RPC services. */
export type RpcSettings = PropsOf<typeof rpcProps>;
