// What the runtime has beneath its sockets of TCP: handles, and the requests that are made of them. A connection that
// is passed on byte by byte needs no more than these, and the streams of a `net.Socket` cost it twice as much.
//
//  new Socket({ handle: LearningHandle })  ── writes, ends, connects ──>  the classes of requests
//  the handle of a server that listens     ────────────────────────────>  the class of handles
//
// All of it comes from objects that the public API makes or takes. If anything is not as expected, such as in another
// version of the runtime, there are no handles to be had, and everybody uses sockets.

import { channel } from "node:diagnostics_channel";
import { Socket, type Server } from "node:net";
import { handleOf, socketOn } from "./handle-of.ts";
import { sharedBuffer } from "./shared-buffer.ts";

/** The end of a connection of TCP, as the runtime has it. Numbers that are returned are 0, or negative: errors. */
export interface TcpHandle {
  /** Called after a read. `readOutcome()` tells what came. */
  onread: () => void;
  readonly fd: number;
  readStart(): number;
  readStop(): number;
  /** What is read comes into this buffer from now on. */
  useUserBuffer(buffer: Uint8Array): void;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writeLatin1String(request: WriteRequest, text: string): number;
  shutdown(request: Request): number;
  connect(request: Request, address: string, port: number): number;
  connect6(request: Request, address: string, port: number): number;
  /** Calls back with the handle as `this`. */
  close(closed: () => void): void;
  /** The same; the peer gets a reset. Of an error, nothing follows. */
  reset(closed: () => void): number;
  setNoDelay(isSet: boolean): number;
  getpeername(into: { address?: string; port?: number }): number;
  getsockname(into: { address?: string; port?: number }): number;
}

/** Something that takes its time. */
export interface Request {
  /** `status`: 0, or the number of an error. Not called if the call that made the request has returned an error. */
  oncomplete?: (status: number) => void;
}

/** What was written at once has made no use of its request: it may serve again. */
export interface WriteRequest extends Request {
  /** `noId`: it is not in use. */
  getAsyncId(): number;
}

/** See `WriteRequest`. */
export const noId = -1;

/** The classes. */
export interface TcpHandles {
  /** `kind` 0: of a connection. */
  readonly Handle: new (kind: number) => TcpHandle;
  readonly ConnectRequest: new () => Request;
  readonly WriteRequest: new () => WriteRequest;
  readonly ShutdownRequest: new () => Request;
  /** What has just been read: the number of bytes, or why nothing was. To be called in `onread`. */
  readOutcome(): number | Error;
}

/** What `readOutcome` tells of a peer that sends nothing more. */
export const endOfInput = -1;

let handles: TcpHandles | undefined;
let isLearning = false;

/**
 * `undefined`: there are none to be had. That may change: they are learned from the first server that listens. Programs
 * that follow the sockets of the process by the channels of the runtime get sockets.
 */
export function tcpHandles(): TcpHandles | undefined {
  return acceptedSockets.hasSubscribers || dialledSockets.hasSubscribers ? undefined : handles;
}

const acceptedSockets = channel("net.server.socket");
const dialledSockets = channel("net.client.socket");

/** Learns what the runtime has beneath a server that listens. `tcpHandles` knows it some ticks later. */
export function learnTcpHandles(server: Server): void {
  const handle = handleOf(server);
  if (isLearning || handle === undefined || !("getpeername" in handle)) return;
  isLearning = true;
  try {
    learnFrom(handle);
  } catch {
    // This runtime has something else: there are sockets.
  }
}

/** Whether a server has accepted it on TCP. */
export function isTcpHandle(handle: unknown, { Handle }: TcpHandles): handle is TcpHandle {
  return handle instanceof Handle;
}

function learnFrom({ constructor: Handle }: object): void {
  if (!makesHandles(Handle)) return;
  const example = new LearningHandle();
  const socket = socketOn(example);
  socket.on("error", () => {});
  const read = example.onread;
  const ownerKey = Object.getOwnPropertySymbols(example).find((key) => Reflect.get(example, key) === socket);
  // Each request goes to the example, and nowhere else.
  socket._write("?", "latin1", () => {});
  socket._final(() => {});
  example.connecting = () => {
    socket.destroy();
    const { connectRequest, writeRequest, shutdownRequest } = example;
    if (!isCallback(read) || ownerKey === undefined || !makesWriteRequests(writeRequest)) return;
    if (!makesRequests(connectRequest) || !makesRequests(shutdownRequest)) return;
    handles = {
      Handle,
      ConnectRequest: connectRequest,
      WriteRequest: writeRequest,
      ShutdownRequest: shutdownRequest,
      readOutcome: outcomeReader(read, ownerKey),
    };
  };
  socket.connect({ host: "127.0.0.1", port: 1 });
}

/** Stands for a handle, to see which requests a socket makes of it. */
class LearningHandle {
  reading = false;
  onread: unknown;
  connectRequest: unknown;
  writeRequest: unknown;
  shutdownRequest: unknown;
  connecting: () => void = () => {};

  readStart(): number {
    return 0;
  }
  readStop(): number {
    return 0;
  }
  writeLatin1String(request: object): number {
    this.writeRequest = request.constructor;
    return 0;
  }
  shutdown(request: object): number {
    this.shutdownRequest = request.constructor;
    return 0;
  }
  connect(request: object): number {
    this.connectRequest = request.constructor;
    process.nextTick(this.connecting);
    return 0;
  }
  close(closed: () => void): void {
    process.nextTick(closed);
  }
}

/**
 * Only the function that the runtime calls after a read of a socket knows how much was read. It is called for a socket
 * that has no other use, and is watched by what it does to it.
 */
function outcomeReader(read: () => void, ownerKey: symbol): () => number | Error {
  const watched = new WatchedSocket();
  const handle = { [ownerKey]: watched, reading: true, readStop: () => 0 };
  return () => {
    watched.outcome = 0;
    read.call(handle);
    return watched.outcome;
  };
}

class WatchedSocket extends Socket {
  outcome: number | Error = 0;

  constructor() {
    super({ onread: { buffer: sharedBuffer, callback: (size) => this.#read(size) } });
  }

  #read(size: number): boolean {
    this.outcome = size;
    return true;
  }

  override push(): boolean {
    this.outcome = endOfInput;
    return false;
  }

  override read(): null {
    return null;
  }

  override destroy(error?: Error): this {
    this.outcome = error ?? new Error("the connection broke");
    return this;
  }
}

function isCallback(value: unknown): value is () => void {
  return typeof value === "function";
}

function makesHandles(Handle: unknown): Handle is TcpHandles["Handle"] {
  if (typeof Handle !== "function") return false;
  const handle: unknown = Handle.prototype;
  return typeof handle === "object" && handle !== null && methods.every((name) => name in handle);
}

function makesRequests(Request: unknown): Request is TcpHandles["ConnectRequest"] {
  return typeof Request === "function" && Request !== Object;
}

function makesWriteRequests(Request: unknown): Request is TcpHandles["WriteRequest"] {
  if (!makesRequests(Request)) return false;
  const request: unknown = Reflect.construct(Request, []);
  if (typeof request !== "object" || request === null) return false;
  if (!("getAsyncId" in request) || typeof request.getAsyncId !== "function") return false;
  return Reflect.apply(request.getAsyncId, request, []) === noId;
}

/** Of a handle. */
const methods: readonly (keyof TcpHandle)[] = [
  "onread",
  "fd",
  "readStart",
  "readStop",
  "useUserBuffer",
  "writeBuffer",
  "writeLatin1String",
  "shutdown",
  "connect",
  "connect6",
  "close",
  "reset",
  "setNoDelay",
  "getpeername",
  "getsockname",
];
