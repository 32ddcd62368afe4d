// The records of FastCGI 1.0, as the web's side writes them. All that is sent on a connection is cut into records:
//
//   version | type | request id (2) | content length (2) | padding length | reserved | content … | padding …
//
// One request at a time has a connection, so that its id is always 1: servers that take more are rare, and PHP-FPM is
// none.

import { Buffer } from "node:buffer";

export const recordTypes = {
  beginRequest: 1,
  abortRequest: 2,
  endRequest: 3,
  params: 4,
  stdin: 5,
  stdout: 6,
  stderr: 7,
} as const;

/** Of a record, without padding, in bytes. */
export const headerSize = 8;
/** Of a record's content, in bytes. */
export const maxContentSize = 65_535;
export const version = 1;
export const requestId = 1;

/**
 * Begins a request: the role is that of a responder; `keepConn` asks the server to leave the connection open
 * afterwards.
 */
export function beginRequest(keepConn: boolean): Buffer {
  return Buffer.concat([
    recordHeader(recordTypes.beginRequest, 8),
    Buffer.from([0, 1, keepConn ? 1 : 0, 0, 0, 0, 0, 0]),
  ]);
}

/** A whole stream of parameters: as many records as it needs, and the empty one that ends it. */
export function paramsRecords(params: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < params.length; at += maxContentSize) {
    const content = params.subarray(at, at + maxContentSize);
    pieces.push(recordHeader(recordTypes.params, content.length), content);
  }
  return Buffer.concat([...pieces, recordHeader(recordTypes.params, 0)]);
}

/** The header of a record whose content, of at most `maxContentSize`, follows. An empty one ends its stream. */
export function recordHeader(type: number, size: number): Buffer {
  return Buffer.from([version, type, 0, requestId, size >> 8, size & 255, 0, 0]);
}
