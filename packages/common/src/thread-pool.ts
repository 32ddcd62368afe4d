// The thread pool of libuv, which zlib, hashing and file reads share.

import { Turns } from "./turns.ts";

/**
 * The number of threads: `UV_THREADPOOL_SIZE`, or 4. All work waits in one queue. When all four threads hashed
 * passwords, reading 64 KiB of a cached file took 500 ms instead of 0.03 ms; with three, 0.02 ms. So each sort of work
 * must limit its share.
 */
export const threadPoolSize: number = Math.max(1, Math.floor(Number(process.env["UV_THREADPOOL_SIZE"])) || 4);

/**
 * All work of zlib takes its turn here, encoding as decoding: half of the threads, so that files are read and names are
 * looked up on the others. A turn is for about 64 KiB: nobody has the threads for long. Whoever has a turn must not
 * wait for another one, nor for a peer: what is made in a turn is passed on after it.
 */
export const zlibTurns = new Turns(Math.max(1, threadPoolSize >> 1));
