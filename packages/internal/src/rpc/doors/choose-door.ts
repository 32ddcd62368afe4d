// Which door a request comes to: by its method and its content type.

import type { MessageCodec } from "@hemi/common/rpc";
import { likingOf, parseWeights } from "../../http/accept.ts";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import type { FoundRoute } from "../http-rules/http-routes.ts";
import type { RpcSettings } from "../rpc-props.ts";
import { ConnectStreamDoor } from "./connect-stream-door.ts";
import { ConnectUnaryDoor } from "./connect-unary-door.ts";
import { EventStreamDoor } from "./event-stream-door.ts";
import { GrpcDoor } from "./grpc-door.ts";
import { GrpcWebDoor } from "./grpc-web-door.ts";
import type { HttpDoor } from "./http-door.ts";
import { JsonArrayDoor } from "./json-array-door.ts";
import { RawStreamDoor } from "./raw-stream-door.ts";

/** A media type that RPC clients send. */
interface RpcType {
  /** In lower case, without parameters. */
  readonly name: string;
  readonly protocol: "grpc" | "grpc-web" | "grpc-web-text" | "connect-stream" | "plain";
  readonly codec: MessageCodec;
}

const types: readonly RpcType[] = [
  { name: "application/grpc", protocol: "grpc", codec: "proto" },
  { name: "application/grpc+proto", protocol: "grpc", codec: "proto" },
  { name: "application/grpc+json", protocol: "grpc", codec: "json" },
  { name: "application/grpc-web", protocol: "grpc-web", codec: "proto" },
  { name: "application/grpc-web+proto", protocol: "grpc-web", codec: "proto" },
  { name: "application/grpc-web+json", protocol: "grpc-web", codec: "json" },
  { name: "application/grpc-web-text", protocol: "grpc-web-text", codec: "proto" },
  { name: "application/grpc-web-text+proto", protocol: "grpc-web-text", codec: "proto" },
  { name: "application/connect+proto", protocol: "connect-stream", codec: "proto" },
  { name: "application/connect+json", protocol: "connect-stream", codec: "json" },
  { name: "application/proto", protocol: "plain", codec: "proto" },
  { name: "application/json", protocol: "plain", codec: "json" },
];

const typesByName: ReadonlyMap<string, RpcType> = new Map(types.map((type) => [type.name, type]));

/** For the field `accept-post` of a 415. */
export const acceptedTypes = types.map(({ name }) => name).join(", ");

/** What speaks for RPC in a request: `undefined` if nothing does. */
export interface RpcRequest {
  /** `undefined` for a GET, whose query names the codec. */
  readonly type: RpcType | undefined;
  /** No other kind of client sends such a request: it is answered in its protocol whatever its path is. */
  readonly isUnmistakable: boolean;
}

/** Looks at method and content type only. */
export function readRpcRequest(req: Request): RpcRequest | undefined {
  if (req.method === "GET") return { type: undefined, isUnmistakable: req.query("connect") === "v1" };
  if (req.method !== "POST") return undefined;
  const type = typeNamed(req.header("content-type"));
  if (type === undefined) return undefined;
  const isUnmistakable = type.name !== "application/json" || req.headers.has("connect-protocol-version");
  return { type, isUnmistakable };
}

/** The door for a request. */
export function openDoor({ type }: RpcRequest, req: Request, resp: Response, settings: RpcSettings): HttpDoor {
  const codec = type?.codec ?? (req.query("encoding") === "proto" ? "proto" : "json");
  switch (type?.protocol) {
    case "grpc":
      return new GrpcDoor(req, resp, settings, codec, type.name);
    case "grpc-web":
      return new GrpcWebDoor(req, resp, settings, codec, type.name, false);
    case "grpc-web-text":
      return new GrpcWebDoor(req, resp, settings, codec, type.name, true);
    case "connect-stream":
      return new ConnectStreamDoor(req, resp, settings, codec);
    case "plain":
    case undefined:
      if (codec === "json" && wantsEvents(req)) return new EventStreamDoor(req, resp, settings, codec);
      return new ConnectUnaryDoor(req, resp, settings, codec);
  }
}

/** The door for a request whose path is that of a rule: it carries JSON, or content of any type. */
export function openRouteDoor(route: FoundRoute, req: Request, resp: Response, settings: RpcSettings): HttpDoor {
  const isStream = route.binding.served.procedure.kind === "server_streaming";
  if (!isStream) return new ConnectUnaryDoor(req, resp, settings, "json", route);
  if (route.binding.givesRaw) return new RawStreamDoor(req, resp, settings, route);
  return wantsEvents(req)
    ? new EventStreamDoor(req, resp, settings, "json", route)
    : new JsonArrayDoor(req, resp, settings, "json", route);
}

/** Whether the content of a request is JSON, or there is none. */
export function bringsJson(req: Request): boolean {
  return !req.hasContent || typeNamed(req.header("content-type"))?.name === "application/json";
}

function typeNamed(contentType: string | undefined): RpcType | undefined {
  if (contentType === undefined) return undefined;
  return typesByName.get(contentType) ?? typesByName.get(contentType.replace(/;.*/s, "").trim().toLowerCase());
}

function wantsEvents(req: Request): boolean {
  const accept = req.header("accept");
  if (accept?.includes("text/event-stream") !== true) return false;
  const { isNamed, weight } = likingOf("text/event-stream", parseWeights(accept));
  return isNamed && weight > 0;
}
