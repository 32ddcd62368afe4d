// The request of a (req, res) app: the IncomingMessage of Node.js, filled from ours.
//
// Express replaces the prototypes of requests and responses. Members that differ from Node.js are therefore set on the
// object itself, not on the prototype of its class.

import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Request as HemiRequest } from "@hemi/internal";
import { guardListeners } from "@hemi/common";
import { type ContentOwner, type LineHandler, NodeContent } from "./node-content.ts";

const contentKey = Symbol("content");

export class NodeRequest extends IncomingMessage implements LineHandler {
  declare readonly _addHeaderLines: LineHandler["_addHeaderLines"];
  readonly [contentKey]: NodeContent;
  /** The request of the engine: the session of the client, its locals, the id for logs. */
  readonly hemi: HemiRequest;

  /** `uri` is what the app is asked for: the client may have asked for more. */
  constructor(req: HemiRequest, uri: string, socket: Socket, owner: ContentOwner) {
    super(socket);
    this[contentKey] = new NodeContent(req, this, owner);
    this.hemi = req;
    guardListeners(this, owner);
    this._read = read;
    this._destroy = destroy;
    Object.defineProperty(this, "signal", signal);
    this.method = req.method;
    this.url = uri;
    // Express and Connect keep it when it is there.
    if (uri !== req.uri) Object.assign(this, { originalUrl: req.uri });
    setVersion(this, req.version);
    const lines = linesOf(req);
    this._addHeaderLines(lines, lines.length);
    // From here on, lines are trailers.
    this.complete = !req.hasContent;
  }
}

/** The response is complete: who waits for the end of the request gets it. */
export function dumpRequest(request: NodeRequest): void {
  request[contentKey].dump();
}

function read(this: NodeRequest): void {
  this[contentKey].read();
}

function destroy(this: NodeRequest, error: Error | null, callback: (error?: Error | null) => void): void {
  this[contentKey].destroy(error, callback);
}

/**
 * Node.js would listen for the socket's end, which here is the end of the exchan as well. One for all: V8 tells objects
 * apart by it.
 */
const signal: PropertyDescriptor & ThisType<NodeRequest> = {
  configurable: true,
  get() {
    return this[contentKey].signal;
  },
};

function setVersion(request: IncomingMessage, version: HemiRequest["version"]): void {
  const [text, major, minor] = versions[version];
  request.httpVersion = text;
  request.httpVersionMajor = major;
  request.httpVersionMinor = minor;
}

const versions: {
  readonly [Version in HemiRequest["version"]]: readonly [text: string, major: number, minor: number];
} = {
  "1.0": ["1.0", 1, 0],
  "1.1": ["1.1", 1, 1],
  "2": ["2.0", 2, 0],
  "3": ["3.0", 3, 0],
};

/**
 * Names and values in turn. `host` is what the webapp was chosen by, which the request may have told otherwise (RFC
 * 9112 3.2.2). And where content came without a word on it, as it may in HTTP/2, there is one: apps look for that.
 */
function linesOf(req: HemiRequest): string[] {
  const lines: string[] = [];
  const { authority } = req;
  let lacksHost = authority !== "";
  let lacksFraming = req.hasContent;
  for (const [name, value] of req.headers) {
    const isHost = name === "host" && authority !== "";
    lines.push(name, isHost ? authority : value);
    if (isHost) lacksHost = false;
    else if (name === "content-length" || name === "transfer-encoding") lacksFraming = false;
  }
  if (lacksHost) lines.push("host", authority);
  if (lacksFraming) {
    const { size } = req.content;
    if (size === undefined) lines.push("transfer-encoding", "chunked");
    else lines.push("content-length", String(size));
  }
  return lines;
}
