// google.api.HttpBody: a message that stands for content of any media type
// (https://github.com/googleapis/googleapis/blob/master/google/api/httpbody.proto).

import { isRecord } from "../openapi-schemas.ts";
import type { BoundMessage } from "./bound-field.ts";

/** What such a message holds. */
export interface HttpBody {
  readonly contentType: string;
  readonly data: Uint8Array;
}

/** Whether a message is one. */
export function isHttpBody(message: BoundMessage | undefined): boolean {
  return message?.name === "google.api.HttpBody";
}

/** The content in a message that a procedure has returned; none where it is not set. */
export function readHttpBody(message: unknown): HttpBody {
  const { contentType = "", data } = isRecord(message) ? message : {};
  const isTyped = typeof contentType === "string" && contentType !== "";
  return {
    contentType: isTyped ? contentType : "application/octet-stream",
    data: data instanceof Uint8Array ? data : new Uint8Array(),
  };
}

/** The JSON of a message for content that has come. */
export function httpBodyJson(contentType: string, content: Uint8Array): Readonly<Record<string, unknown>> {
  return { contentType, data: Buffer.from(content.buffer, content.byteOffset, content.length).toString("base64") };
}
