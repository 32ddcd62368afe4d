// Reads sockets directly, without a stream's cost.
//
// The runtime reads each piece of input into 64 KiB of new memory, cuts it to size, and passes it through a stream: one
// third of the cost of a small request. Dialled sockets avoid this with the option `onread`. Servers have no such
// option, so an accepted socket is given afterwards what the option would have given it.

import { Buffer } from "node:buffer";
import { Socket, type OnReadOpts } from "node:net";
import { Duplex } from "node:stream";
import { handleOf } from "./handle-of.ts";
import { sharedBuffer, sharedPiece } from "./shared-buffer.ts";

/** Receives a piece of input. The bytes are valid until it returns. */
export type DirectReader = (this: Socket, bytes: Buffer) => void;

/** Where a socket has its reader. */
const readerKey = Symbol("direct reader");

interface DirectSocket extends Socket {
  [readerKey]?: DirectReader | undefined;
}

/** For sockets that are dialled: what is received goes to the reader of `readDirectly`. */
export const directOnread: OnReadOpts = { buffer: sharedBuffer, callback: received };

/** Where the runtime keeps what the option `onread` has given; `undefined`: it does so in another way. */
const onreadKeys = findOnreadKeys();

/**
 * Reads a socket from now on. `reader` receives all further input, unless the socket was dialled with an `onread`
 * other than `directOnread`: then that does. `streamReader` receives what the stream holds, before that: bytes that may
 * be kept. That is what came earlier, what TLS decrypts while the socket is paused, and everything if the runtime does
 * not support direct reading. Returns whether it does. Of a socket that is destroyed, neither receives what the stream
 * holds.
 */
export function readDirectly(socket: Socket, reader: DirectReader, streamReader: (bytes: Buffer) => void): boolean {
  const isDirect = setOnread(socket);
  const direct: DirectSocket = socket;
  direct[readerKey] = isDirect ? reader : undefined;
  if (socket.destroyed) return isDirect;
  if (!isDirect || isSecure(socket) || socket.readableLength > 0) socket.on("data", streamReader);
  return isDirect;
}

/** Continues a socket that is read by `readDirectly`, after `pause`. */
export function resumeReading(socket: Socket): void {
  const direct: DirectSocket = socket;
  // What `resume` does beside this, for streams that flow, costs a tick.
  const needsNoFlow = direct[readerKey] !== undefined && socket.readableLength === 0 && !isSecure(socket);
  if (needsNoFlow) socket.read(0);
  else socket.resume();
}

/** Leaves a paused socket to who reads it as a stream from now on. `streamReader` is that of `readDirectly`. */
export function readAsStream(socket: Socket, streamReader: (bytes: Buffer) => void): void {
  socket.off("data", streamReader);
  const direct: DirectSocket = socket;
  if (direct[readerKey] === undefined) return;
  direct[readerKey] = undefined;
  socket.pause = pauseAsRead;
  socket.read(0);
}

/** As in any stream, reading continues until the buffer is full, or the input ends; a direct reader gets nothing. */
function pauseAsRead(this: DirectSocket): Socket {
  if (this[readerKey] !== undefined) return Socket.prototype.pause.call(this);
  Duplex.prototype.pause.call(this);
  return this;
}

/** Called by the runtime. False: the stream's buffer is full; the stream resumes by itself. */
function received(this: DirectSocket, size: number): boolean {
  const bytes = sharedPiece(size);
  const reader = this[readerKey];
  if (reader === undefined || mustWait(this)) return this.push(Buffer.from(bytes));
  reader.call(this, bytes);
  return true;
}

/** Of what was read at once, TLS decrypts and gives the rest even if its socket has been paused since. */
function mustWait(socket: Socket): boolean {
  return isSecure(socket) && (socket.isPaused() || socket.readableLength > 0);
}

/** Returns whether the input of the socket goes past its stream. */
function setOnread(socket: Socket): boolean {
  if (onreadKeys === undefined) return false;
  // Dialled with the option, or read directly before.
  if (!isKeyed(socket)) return false;
  if (socket[onreadKeys.buffer] === sharedBuffer) return true;
  const handle = handleOf(socket);
  if (handle === undefined || !takesBuffer(handle)) return false;
  handle.useUserBuffer(sharedBuffer);
  socket[onreadKeys.buffer] = sharedBuffer;
  socket[onreadKeys.callback] = received;
  return true;
}

function isSecure(socket: Socket): boolean {
  return "encrypted" in socket;
}

/** Any object is; it is faster than `Reflect`, which costs a new connection half a microsecond. */
function isKeyed(socket: Socket): socket is Socket & Record<symbol, unknown> {
  return typeof socket === "object";
}

function takesBuffer(handle: object): handle is { useUserBuffer(buffer: Buffer): void } {
  return "useUserBuffer" in handle;
}

function findOnreadKeys(): { readonly buffer: symbol; readonly callback: symbol } | undefined {
  const callback = (): boolean => true;
  const example = new Socket({ onread: { buffer: sharedBuffer, callback } });
  const keys = Object.getOwnPropertySymbols(example);
  const buffer = keys.find((key) => Reflect.get(example, key) === sharedBuffer);
  const call = keys.find((key) => Reflect.get(example, key) === callback);
  example.destroy();
  return buffer === undefined || call === undefined ? undefined : { buffer, callback: call };
}
