// What has come on a connection and is yet to be read.

/** The unread input of a connection: the bytes from `at` on. Readers move `at` forward; the connection sets `bytes`. */
export interface Input {
  bytes: Buffer;
  at: number;
}
