// Tells the user of a socket what happens at it: input, which is read directly, and the ends.
//
// The listeners are shared by all sockets: ones of its own would cost each connection 500 bytes for as long as it is
// open.

import type { Socket } from "node:net";
import { readAsStream, readDirectly } from "./direct-reading.ts";

/** Learns what happens at a socket. Must not throw: the runtime, which calls it, would end the process. */
export interface SocketUser {
  /** `isShared`: the bytes are valid until it returns; otherwise they may be kept. */
  socketReceived(bytes: Buffer, isShared: boolean): void;
  /** The peer has shut its side: it sends nothing more. */
  socketEnded(): void;
  /** Everything written has been passed on, after a write that returned false. */
  socketDrained(): void;
  /** The socket is closed. Nothing is called after this. */
  socketClosed(): void;
}

/** Where a socket has its user, for the listeners. No `WeakMap`: that costs each new connection 20 us of collection. */
const userKey = Symbol("socket user");

interface UsedSocket extends Socket {
  [userKey]?: SocketUser;
}

/** The user learns what happens at the socket from now on. */
export function useSocket(socket: Socket, user: SocketUser): void {
  const used: UsedSocket = socket;
  used[userKey] = user;
  readDirectly(socket, receivedShared, receivedOwn);
  socket.on("end", ended);
  socket.on("drain", drained);
  // What went wrong with a socket is of no use: its "close" follows.
  socket.on("error", noop);
  socket.on("close", closed);
}

/**
 * Leaves a paused socket to whoever reads it as a stream from now on, with `unread` before all that is still to come.
 * Its user learns of nothing but its close.
 */
export function leaveSocket(socket: Socket, unread: Buffer): void {
  readAsStream(socket, receivedOwn);
  socket.off("end", ended).off("drain", drained);
  if (unread.length > 0) socket.unshift(unread);
}

/** Its user does not learn of the close either, and its errors are no longer taken. For sockets that were left. */
export function forgetSocket(socket: Socket): void {
  socket.off("error", noop).off("close", closed);
}

function receivedOwn(this: UsedSocket, bytes: Buffer): void {
  this[userKey]?.socketReceived(bytes, false);
}

function receivedShared(this: UsedSocket, bytes: Buffer): void {
  this[userKey]?.socketReceived(bytes, true);
}

function ended(this: UsedSocket): void {
  this[userKey]?.socketEnded();
}

function drained(this: UsedSocket): void {
  this[userKey]?.socketDrained();
}

function closed(this: UsedSocket): void {
  this[userKey]?.socketClosed();
}

function noop(): void {}
