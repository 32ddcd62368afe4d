// The thread pool of libuv, which zlib, hashing and file reads share.

/**
 * The number of threads: `UV_THREADPOOL_SIZE`, or 4. All work waits in one queue. When all four threads hashed
 * passwords, reading 64 KiB of a cached file took 500 ms instead of 0.03 ms; with three, 0.02 ms. So each sort of work
 * must limit its share.
 */
export const threadPoolSize: number = Math.max(1, Math.floor(Number(process.env["UV_THREADPOOL_SIZE"])) || 4);
