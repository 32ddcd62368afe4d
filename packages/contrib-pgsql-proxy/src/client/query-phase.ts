// A client that is logged in: its messages go to a server that it has for a transaction, or for its session.
//
//  message ──> no server: the client waits in the pool's queue, and is not read
//         └──> a server: parameters restored ──> statements renamed ──> sent
//  ReadyForQuery, nothing owed, no transaction ──> the server is given back

import type { ClientPipe, ConnEndReason } from "@hemi/internal";
import { errorMessage, sqlStates } from "../protocol/errors.ts";
import { headSize, idle, MessageReader, ProtocolError, readText, readyIdle } from "../protocol/messages.ts";
import type { Pool, PoolWaiter } from "../server/pool.ts";
import type { ServerConn, ServerUser } from "../server/server-conn.ts";
import { Expected, type Entry } from "./expected.ts";
import { leftoverOf } from "../server/leftovers.ts";
import { SessionParams } from "./session-params.ts";
import { ClientStatements } from "./client-statements.ts";
import { keyMessage, type StatementTable } from "./statements.ts";

/** Where a client gets its servers. */
export interface Lender {
  readonly pool: Pool;
  readonly statements: StatementTable;
  /** What servers of the pool report by default; `undefined`: none has yet. */
  defaults: ReadonlyMap<string, string> | undefined;
}

export interface QueryOptions {
  readonly pipe: ClientPipe;
  readonly lender: Lender;
  readonly params: ReadonlyMap<string, string>;
  readonly settings: {
    readonly pooling: "transaction" | "session";
    readonly maxStatements: number;
    readonly maxMessageSize: number;
  };
  readonly count: (event: QueryEvent) => void;
  /** Called once, when the session begins. */
  readonly key: () => { readonly id: number; readonly key: Buffer };
  readonly servedBy: (node: string) => void;
  /** The client has left while the server works for it. */
  readonly abandoned: (server: ServerConn) => void;
  /** `error`: for the client. */
  readonly close: (error: Buffer | undefined, reason: ConnEndReason) => void;
}

export type QueryEvent = "transaction" | "query" | "wait" | "serverLost" | "refused";

export class QueryPhase implements ServerUser, PoolWaiter {
  readonly #options: QueryOptions;
  readonly #params: SessionParams;
  readonly #expected = new Expected({
    notPrepared: (statement, isOurs) => {
      if (this.#server !== undefined) this.#statements.failed(this.#server, statement, isOurs);
    },
    notEvicted: (name) => void this.#server?.statements.add(name),
  });
  readonly #statements: ClientStatements;
  #server: ServerConn | undefined;
  #isWaiting = false;
  #hasBegun = false;
  /** It keeps its server until its end. */
  #isBound = false;
  #isOver = false;
  /** Messages that came while there was no server. */
  #held: Buffer[] = [];
  /** What goes to the server, and to the client, at the end of this read. */
  #toServer: Buffer[] = [];
  #toClient: Buffer[] = [];
  /** Whether rows, or their description, have come since the last command was complete. */
  #hasResult = false;
  /** The client reads too slowly. */
  #isClientSlow = false;
  #transactions = 0;
  #queries = 0;

  constructor(options: QueryOptions) {
    this.#options = options;
    this.#params = new SessionParams(options.params);
    this.#statements = new ClientStatements({
      table: options.lender.statements,
      max: () => options.settings.maxStatements,
      send: (bytes) => void this.#toServer.push(bytes),
      expect: (entry) => this.#expect(entry),
    });
    this.#isBound = options.settings.pooling === "session";
  }

  get notes(): Readonly<Record<string, number>> {
    return { transactions: this.#transactions, queries: this.#queries };
  }

  /** Whether a server works for it, or it waits for one. */
  get isBusy(): boolean {
    return this.#isWaiting || this.#expected.length > 0;
  }

  /** The server that works for it, for a request to cancel. */
  get busyServer(): ServerConn | undefined {
    return this.#expected.length > 0 ? this.#server : undefined;
  }

  /** Welcomes the client. The first one of a pool waits for a server, which tells its parameters. */
  begin(): void {
    if (this.#options.lender.defaults === undefined || this.#isBound) this.#acquire();
    else this.#welcome(this.#options.lender.defaults);
  }

  // ---- from the client ----

  clientMessage(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    if (this.#server === undefined) {
      this.#held.push(Buffer.from(bytes.subarray(start, end)));
      return this.#acquire();
    }
    this.#forward(this.#server, type, bytes, start, end);
  }

  /** Everything of one read has been told. */
  told(): void {
    this.#flush();
  }

  clientDrained(): void {
    this.#isClientSlow = false;
    this.#server?.hold(false);
    this.#holdOrNot();
  }

  /** The client is gone. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isWaiting) this.#options.lender.pool.forget(this);
    this.#statements.clear();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    if (this.#expected.length > 0 || this.#expected.isOpen) this.#options.abandoned(server);
    else this.#options.lender.pool.release(server, this.#isBound);
  }

  #forward(server: ServerConn, type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case letter.query:
      case letter.call:
        this.#queries++;
        this.#options.count("query");
        return this.#send({ kind: "query" }, bytes, start, end);
      case letter.sync:
        return this.#send({ kind: "sync" }, bytes, start, end);
      case letter.execute:
        this.#queries++;
        this.#options.count("query");
        return this.#send({ kind: "execute" }, bytes, start, end);
      case letter.parse:
        return this.#statements.parse(server, bytes, start, end);
      case letter.bind:
        return this.#statements.bind(server, bytes, start, end);
      case letter.describe:
      case letter.close:
        return this.#statements.describeOrClose(server, type === letter.close, bytes.subarray(start, end));
      case letter.flush:
      case letter.copyData:
      case letter.copyDone:
      case letter.copyFail:
        this.#toServer.push(Buffer.from(bytes.subarray(start, end)));
        return;
      default:
        throw new ProtocolError(`a message of the unknown type ${type}`);
    }
  }

  #send(entry: Entry, bytes: Buffer, start: number, end: number): void {
    this.#toServer.push(Buffer.from(bytes.subarray(start, end)));
    this.#expect(entry);
  }

  #expect(entry: Entry): void {
    const answer = this.#expected.add(entry);
    if (answer !== undefined) this.#toClient.push(answer);
  }

  // ---- from the pool ----

  got(server: ServerConn): void {
    this.#isWaiting = false;
    this.#server = server;
    this.#options.lender.defaults ??= server.defaults;
    this.#options.servedBy(server.node);
    server.lend(this);
    const difference = this.#params.difference(server);
    if (difference !== undefined) {
      this.#toServer.push(difference);
      this.#expect({ kind: "own query" });
    }
    if (!this.#hasBegun) this.#welcome(server.defaults);
    const held = this.#held;
    this.#held = [];
    // They are whole messages.
    const reader = new MessageReader(
      () => this.#options.settings.maxMessageSize,
      (type, bytes, start, end) => this.clientMessage(type, bytes, start, end),
    );
    try {
      for (const bytes of held) reader.add(bytes, false);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { protocolViolation } = sqlStates;
      return this.#options.close(errorMessage("FATAL", protocolViolation, `it was sent ${error.message}`), "refused");
    }
    this.#flush();
    this.#giveBackIfDone();
  }

  refused(error: Buffer): void {
    this.#isWaiting = false;
    this.#options.count("refused");
    this.#options.close(error, "noNode");
  }

  #acquire(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#options.lender.pool.acquire(this);
    // It may have had a server at once, and have given it back.
    if (this.#server === undefined && this.isBusy) this.#options.count("wait");
    this.#holdOrNot();
  }

  #welcome(defaults: ReadonlyMap<string, string>): void {
    this.#hasBegun = true;
    const { id, key } = this.#options.key();
    this.#toClient.push(this.#params.welcome(defaults), keyMessage(id, key), readyIdle);
    this.#flush();
  }

  // ---- from the server ----

  message(type: number, bytes: Buffer, start: number, end: number): void {
    const server = this.#server;
    if (server === undefined) return;
    if (type === letter.param) this.#takeParam(bytes, start, end);
    else if (type === letter.complete) this.#takeLeftover(server, bytes, start, end);
    if (type === letter.row || type === letter.rowDescription) this.#hasResult = true;
    const verdict = this.#expected.answered(type);
    const isOurs = verdict === "drop" && type !== letter.param;
    if (!isOurs) this.#toClient.push(Buffer.from(bytes.subarray(start, end)));
    const given = this.#expected.given();
    if (given !== undefined) this.#toClient.push(given);
    if (type !== letter.ready) return;
    this.#hasResult = false;
    if (server.status === idle && verdict === "pass") {
      this.#transactions++;
      this.#options.count("transaction");
    }
    this.#giveBackIfDone();
  }

  drained(): void {
    this.#holdOrNot();
  }

  lost(reason: string): void {
    this.#server = undefined;
    if (this.#isOver) return;
    this.#flush();
    this.#options.count("serverLost");
    this.#options.close(errorMessage("FATAL", sqlStates.connectionFailure, reason), "nodeAborted");
  }

  #takeParam(bytes: Buffer, start: number, end: number): void {
    const name = readText(bytes, start + headSize, end);
    this.#params.reported(name.text, readText(bytes, name.next, end).text);
  }

  #takeLeftover(server: ServerConn, bytes: Buffer, start: number, end: number): void {
    const hasResult = this.#hasResult;
    this.#hasResult = false;
    if (this.#expected.head?.kind === "own query") return;
    switch (leftoverOf(bytes, start, end, hasResult)) {
      case "none":
        return;
      case "dirty":
        server.isDirty = true;
        return;
      case "bound":
        this.#isBound = true;
        return;
      case "clean":
        server.isDirty = false;
        server.statements.clear();
        return this.#statements.clear();
      case "forgotten":
        server.statements.clear();
        return this.#statements.clear();
    }
  }

  #giveBackIfDone(): void {
    const server = this.#server;
    if (server === undefined || this.#isBound || this.#expected.length > 0 || server.status !== idle) return;
    this.#flush();
    this.#server = undefined;
    this.#options.lender.pool.release(server, false);
    this.#holdOrNot();
  }

  #flush(): void {
    const { pipe } = this.#options;
    const toClient = this.#toClient;
    if (toClient.length > 0 && !pipe.isDestroyed) {
      this.#toClient = [];
      if (!pipe.write(joined(toClient), false)) {
        this.#isClientSlow = true;
        this.#server?.hold(true);
      }
    }
    const toServer = this.#toServer;
    if (toServer.length > 0 && this.#server !== undefined) {
      this.#toServer = [];
      this.#server.write(joined(toServer), false);
    }
    this.#holdOrNot();
  }

  #holdOrNot(): void {
    const { pipe } = this.#options;
    if (this.#isOver || pipe.isDestroyed) return;
    const isBehind = this.#isClientSlow || this.#expected.length > maxExpected;
    pipe.hold(this.#isWaiting || isBehind || this.#server?.isSlow === true);
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

const letter = {
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
  ready: 90,
} as const;

/** Not a prop: a client that sends more at once is read when the first requests are answered. */
const maxExpected = 10_000;
