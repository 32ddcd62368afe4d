// The commands of clients ("Command Phase"), and what they are answered with. Those for replication and for the server
// itself are not passed on.

import type { ResponseKind } from "../protocol/response.ts";

export interface Command {
  readonly response: ResponseKind | "none";
  /** Whether it counts as a query. */
  readonly isQuery?: true;
  /** Whether a text follows: a statement, or the name of a database. */
  readonly hasText?: true;
}

/** The codes of those that the proxy looks at. */
export const commands = { quit: 1, database: 2, query: 3, kill: 12, execute: 23, reset: 31 } as const;

/** `undefined`: it is not passed on. COM_CHANGE_USER is not: begin a session as the other user. */
export function commandOf(code: number): Command | undefined {
  return table.get(code);
}

const table: ReadonlyMap<number, Command> = new Map<number, Command>([
  [commands.database, { response: "packet", hasText: true }],
  [commands.query, { response: "result", isQuery: true, hasText: true }],
  // COM_FIELD_LIST
  [4, { response: "definitions" }],
  // COM_STATISTICS
  [9, { response: "packet" }],
  // COM_PROCESS_INFO
  [10, { response: "result" }],
  [commands.kill, { response: "packet" }],
  // COM_DEBUG
  [13, { response: "packet" }],
  // COM_PING
  [14, { response: "packet" }],
  // COM_STMT_PREPARE
  [22, { response: "prepared", hasText: true }],
  [commands.execute, { response: "result", isQuery: true }],
  // COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE
  [24, { response: "none" }],
  [25, { response: "none" }],
  // COM_STMT_RESET
  [26, { response: "packet" }],
  // COM_SET_OPTION
  [27, { response: "packet" }],
  // COM_STMT_FETCH
  [28, { response: "rows" }],
  [commands.reset, { response: "packet" }],
  // COM_STMT_BULK_EXECUTE of MariaDB
  [250, { response: "result", isQuery: true }],
]);
