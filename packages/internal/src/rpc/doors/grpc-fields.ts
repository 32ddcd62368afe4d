// The status of a call as fields of gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).

import { rpcCodes, type ErrorDetail, type RpcError, toBase64 } from "@hemi/common/rpc";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Call } from "../call.ts";
import { eachJoined } from "./http-door.ts";

/** Calls back with each trailer field of a call. */
export function eachTrailer(
  error: RpcError | undefined,
  call: Call | undefined,
  take: (name: string, value: string) => void,
): void {
  const own = call?.ownTrailers;
  if (own !== undefined) eachJoined(own, take);
  if (error === undefined) return take("grpc-status", "0");
  if (error.metadata !== undefined) eachJoined(error.metadata, take);
  take("grpc-status", String(rpcCodes[error.code]));
  if (error.message !== "") take("grpc-message", percentEncode(error.message));
  if (error.details.length > 0) take("grpc-status-details-bin", toBase64(encodeStatus(error)));
}

/** Percent-encodes UTF-8, but for printable ASCII. */
function percentEncode(message: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(message)) return message;
  let encoded = "";
  for (const octet of Buffer.from(message)) {
    const isPlain = octet >= 0x20 && octet <= 0x7e && octet !== 0x25;
    encoded += isPlain ? String.fromCharCode(octet) : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** A google.rpc.Status: code (1), message (2), details (3). */
function encodeStatus({ code, message, details }: RpcError): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(rpcCodes[code]);
  if (message !== "") writer.tag(2, WireType.LengthDelimited).string(message);
  for (const detail of details) writer.tag(3, WireType.LengthDelimited).bytes(encodeAny(detail));
  return writer.finish();
}

/** A google.protobuf.Any: type_url (1), value (2). */
function encodeAny({ type, value }: ErrorDetail): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(`type.googleapis.com/${type}`);
  return writer.tag(2, WireType.LengthDelimited).bytes(value).finish();
}
