// The status of a call as a client of gRPC reads it, from trailers or from a head without content.

import { codeOfHttpStatus, codeOfNumber, fromBase64, Metadata, RpcError, type ErrorDetail } from "@hemi/common/rpc";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Fields } from "../../http/fields.ts";

/** `undefined`: the call went well. `httpStatus`: of the head, for those that no RPC server has made. */
export function errorOfFields(fields: Fields, httpStatus: number): RpcError | undefined {
  const status = fields.get("grpc-status");
  if (status === "0") return undefined;
  const metadata = Metadata.received(fields);
  if (status === undefined || !/^\d{1,3}$/.test(status)) {
    if (httpStatus === 200) return new RpcError("internal", "the answer has no grpc-status", { metadata });
    return new RpcError(codeOfHttpStatus(httpStatus), `the server answered with status ${httpStatus}`, { metadata });
  }
  const message = percentDecoded(fields.get("grpc-message") ?? "");
  const bytes = fromBase64(fields.get("grpc-status-details-bin") ?? "");
  return new RpcError(codeOfNumber(Number(status)), message, { metadata, details: readDetails(bytes) });
}

/** What is malformed stays as it is: a message is for people. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Those of a google.rpc.Status; none if the bytes are not one. */
function readDetails(bytes: Uint8Array | undefined): ErrorDetail[] {
  if (bytes === undefined) return [];
  try {
    return fieldsOf(bytes, 3).map((any) => {
      const [type] = fieldsOf(any, 1);
      const [value] = fieldsOf(any, 2);
      const url = new TextDecoder().decode(type ?? new Uint8Array());
      return { type: url.slice(url.lastIndexOf("/") + 1), value: value ?? new Uint8Array() };
    });
  } catch {
    return [];
  }
}

/** The values of a field that has a length. */
function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === wanted && type === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(type);
  }
  return found;
}
