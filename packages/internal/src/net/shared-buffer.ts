import { Buffer } from "node:buffer";

/**
 * The size of one read of a socket, in bytes. Not a prop: it balances the cost of system calls against the memory for
 * slow peers.
 */
export const readSize = 64 * 1024;

/**
 * The buffer for sockets whose input is processed at once. On the supported systems, a socket is read and its event
 * emitted in one step, so that all sockets can share one buffer. Data to keep is copied.
 */
export const sharedBuffer = Buffer.allocUnsafeSlow(readSize);
