// Errors in the JSON of Connect (https://connectrpc.com/docs/protocol/#error-end-stream), and the end of its streams.

import { fromBase64, toBase64 } from "./base64.ts";
import { isRpcCode, type RpcCode } from "./codes.ts";
import { Metadata } from "./metadata.ts";
import { RpcError, type ErrorDetail } from "./rpc-error.ts";

/** An error as JSON has it. */
export interface ConnectErrorJson {
  readonly code: RpcCode;
  readonly message?: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

/** The last message of a stream. */
export interface EndOfStream {
  readonly error: RpcError | undefined;
  readonly trailers: Metadata;
}

/** An error for a unary response, or for the end of a stream. */
export function errorToJson({ code, message, details }: RpcError): ConnectErrorJson {
  return {
    code,
    ...(message !== "" && { message }),
    ...(details.length > 0 && {
      details: details.map(({ type, value }) => ({ type, value: toBase64(value) })),
    }),
  };
}

/** `fallback`: the code where the JSON has none that is known. */
export function errorFromJson(json: unknown, fallback: RpcCode, metadata: Metadata): RpcError {
  if (!isRecord(json)) return new RpcError(fallback, "the response is not the JSON of an error", { metadata });
  const message = typeof json["message"] === "string" ? json["message"] : "";
  const details = Array.isArray(json["details"]) ? json["details"].flatMap(detailFromJson) : [];
  const { code } = json;
  return new RpcError(isRpcCode(code) ? code : fallback, message, { details, metadata });
}

function detailFromJson(json: unknown): ErrorDetail[] {
  if (!isRecord(json) || typeof json["type"] !== "string" || typeof json["value"] !== "string") return [];
  const value = fromBase64(json["value"]);
  return value === undefined ? [] : [{ type: json["type"], value }];
}

/** The text of the last message of a stream. */
export function endOfStreamToJson(error: RpcError | undefined, trailers: Metadata): string {
  const metadata = new Map<string, string[]>();
  for (const [name, value] of trailers) {
    const values = metadata.get(name);
    if (values === undefined) metadata.set(name, [value]);
    else values.push(value);
  }
  return JSON.stringify({
    ...(error !== undefined && { error: errorToJson(error) }),
    ...(!trailers.isEmpty && { metadata: Object.fromEntries(metadata) }),
  });
}

/** Throws RpcError `unknown` for a text that is not such a message. */
export function endOfStreamFromJson(text: string): EndOfStream {
  const json = parseJson(text);
  if (!isRecord(json)) throw new RpcError("unknown", "the end of the stream is not an object in JSON");
  const { metadata } = json;
  const lines = isRecord(metadata)
    ? Object.entries(metadata).flatMap(([name, values]) =>
        Array.isArray(values) ? values.map((value) => [name.toLowerCase(), String(value)] as const) : [],
      )
    : [];
  const trailers = Metadata.received(lines);
  const error = json["error"] === undefined ? undefined : errorFromJson(json["error"], "unknown", trailers);
  return { error, trailers };
}

/** `undefined` for a text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
