// The prepared statements of one client, under the names that the client has given them.

import { closeComplete, parseComplete, ProtocolError } from "../protocol/messages.ts";
import type { ServerConn } from "../server/server-conn.ts";
import type { Entry } from "../server/expected.ts";
import {
  bindMessage,
  closeMessage,
  describeMessage,
  isOfProxy,
  parseMessage,
  readBind,
  readParse,
  readTarget,
  type Statement,
  type StatementTable,
} from "../server/statements.ts";

export interface ClientStatementsOptions {
  readonly table: StatementTable;
  /** See Statement. */
  readonly terms: () => string;
  /** How many the client may have, and a server is given. */
  readonly max: () => number;
  /** For the server. */
  readonly send: (bytes: Buffer) => void;
  readonly expect: (entry: Entry) => void;
}

/** Passes on Parse, Bind, Describe and Close, with the names that statements have at the server. */
export class ClientStatements {
  readonly #options: ClientStatementsOptions;
  readonly #statements = new Map<string, Statement>();

  constructor(options: ClientStatementsOptions) {
    this.#options = options;
  }

  parse(server: ServerConn, bytes: Buffer, start: number, end: number): void {
    const { table, max, expect } = this.#options;
    const { name, body } = readParse(bytes, start, end);
    if (name === "") {
      return this.#pass({ kind: "parse", statement: undefined, name }, bytes.subarray(start, end));
    }
    if (this.#statements.size >= max() && !this.#statements.has(name)) {
      throw new ProtocolError(`more than ${max()} prepared statements`);
    }
    const statement = table.acquire(body, this.#options.terms());
    const former = this.#statements.get(name);
    if (former !== undefined) table.release(former);
    this.#statements.set(name, statement);
    if (server.statements.has(statement.name)) expect({ kind: "given", answer: parseComplete, name, statement });
    else this.#prepare(server, statement, name);
  }

  bind(server: ServerConn, bytes: Buffer, start: number, end: number): void {
    const { portal, name, rest } = readBind(bytes, start, end);
    const statement = this.#current(name);
    server.isDirty ||= statement?.hasSideEffects ?? (name !== "" || server.hasUnnamedSideEffects);
    if (statement === undefined) {
      return this.#pass(
        { kind: "bind" },
        isOfProxy(name) ? bindMessage(portal, unknown, rest) : bytes.subarray(start, end),
      );
    }
    this.#ensure(server, statement);
    this.#options.send(bindMessage(portal, statement.name, rest));
    this.#options.expect({ kind: "bind" });
  }

  describeOrClose(server: ServerConn, isClose: boolean, whole: Buffer): void {
    const { expect, table, send } = this.#options;
    const { isStatement, name } = readTarget(whole, 0, whole.length);
    const statement = isStatement ? this.#current(name) : undefined;
    if (statement === undefined) {
      const entry: Entry = isClose ? { kind: "close", evicts: undefined } : { kind: "describe" };
      const isTheirs = isStatement && isOfProxy(name);
      return this.#pass(entry, isTheirs ? (isClose ? closeMessage(unknown) : describeMessage(unknown)) : whole);
    }
    if (isClose) {
      this.#statements.delete(name);
      table.release(statement);
      return expect({ kind: "given", answer: closeComplete, name, statement });
    }
    this.#ensure(server, statement);
    send(describeMessage(statement.name));
    expect({ kind: "describe" });
  }

  /** The client does not have it, because its Parse has failed. */
  notPrepared(statement: Statement, name: string): void {
    if (this.#statements.get(name) !== statement) return;
    this.#statements.delete(name);
    this.#options.table.release(statement);
  }

  /** The client still has it, because its Close was ignored. */
  notClosed({ body, terms }: Statement, name: string): void {
    if (!this.#statements.has(name)) this.#statements.set(name, this.#options.table.acquire(body, terms));
  }

  clear(): void {
    for (const statement of this.#statements.values()) this.#options.table.release(statement);
    this.#statements.clear();
  }

  /** A parameter may be another one by now. */
  #current(name: string): Statement | undefined {
    const { table, terms } = this.#options;
    const statement = this.#statements.get(name);
    const now = terms();
    if (statement === undefined || statement.terms === now) return statement;
    const current = table.acquire(statement.body, now);
    table.release(statement);
    this.#statements.set(name, current);
    return current;
  }

  /** The server may not have it: another one has prepared it for this client. */
  #ensure(server: ServerConn, statement: Statement): void {
    if (!server.statements.has(statement.name)) return this.#prepare(server, statement, undefined);
    // The order tells which one was used last.
    server.statements.delete(statement.name);
    server.statements.add(statement.name);
  }

  /** `name`: that of the client, if it asks for that. */
  #prepare(server: ServerConn, statement: Statement, name: string | undefined): void {
    const { max, send, expect } = this.#options;
    const [oldest] = server.statements;
    if (oldest !== undefined && server.statements.size >= max()) {
      server.statements.delete(oldest);
      send(closeMessage(oldest));
      expect({ kind: "close", evicts: oldest });
    }
    server.statements.add(statement.name);
    send(parseMessage(statement));
    expect({ kind: "parse", statement, name });
  }

  #pass(entry: Entry, whole: Buffer): void {
    this.#options.send(Buffer.from(whole));
    this.#options.expect(entry);
  }
}

/** Not a name that the proxy gives: in place of one of those, which are statements of other clients. */
const unknown = "unknown to the proxy";
