// The types of the messages that clients and servers send each other when the client is logged in.

/** Types of messages, as the first byte has them. */
export const letter = {
  query: 81,
  call: 70,
  sync: 83,
  execute: 69,
  parse: 80,
  bind: 66,
  describe: 68,
  close: 67,
  flush: 72,
  copyData: 100,
  copyDone: 99,
  copyFail: 102,
  // Of servers.
  param: 83,
  complete: 67,
  rowDescription: 84,
  row: 68,
  noData: 110,
  suspended: 115,
  ready: 90,
  error: 69,
} as const;

/** Messages that belong to a command which runs, if they mean anything. */
export const ofData: ReadonlySet<number> = new Set([letter.flush, letter.copyData, letter.copyDone, letter.copyFail]);
