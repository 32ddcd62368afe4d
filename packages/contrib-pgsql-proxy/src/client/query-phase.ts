// A client that is logged in: its messages go to a server that it has for a transaction, or for its session.
//
//  message ──> no server: the client waits in the pool's queue, and is not read
//         └──> a server: parameters restored ──> statements renamed ──> sent
//  ReadyForQuery, nothing owed, no transaction ──> the server is given back

import { errorMessage, readError, sqlStates } from "../protocol/errors.ts";
import { letter, ofData } from "../protocol/letters.ts";
import { headSize, idle, joined, ProtocolError, readText, readyIdle } from "../protocol/messages.ts";
import { checkUnanswered } from "../protocol/unanswered.ts";
import { type CancelKey, keyMessage } from "../server/cancels.ts";
import type { Entry } from "../server/expected.ts";
import { leftoverOf } from "../server/leftovers.ts";
import type { Lender } from "../server/lender.ts";
import type { PoolWaiter } from "../server/pool.ts";
import type { ServerConn, ServerUser } from "../server/server-conn.ts";
import { mayHaveSideEffects, mayPreparedHaveSideEffects } from "../server/side-effects.ts";
import { closeMessage, type Statement, surelyDropsUnnamed } from "../server/statements.ts";
import { ClientStatements } from "./client-statements.ts";
import type { QueryHost, QuerySession } from "./query-host.ts";
import { SessionParams } from "./session-params.ts";

/** Thousands of them are idle at a time: what only a transaction needs is made for it, and dropped behind it. */
export class QueryPhase implements ServerUser, PoolWaiter {
  readonly #host: QueryHost;
  readonly #session: QuerySession;
  readonly #lender: Lender;
  readonly #startup: ReadonlyMap<string, string>;
  readonly #params: SessionParams;
  #statements: ClientStatements | undefined;
  readonly #key: CancelKey;
  #server: ServerConn | undefined;
  #isWaiting = false;
  #hasBegun = false;
  /** It keeps its server until its end. */
  #isBound = false;
  /** Its server has lost what the client has begun with. */
  #isReset = false;
  #isOver = false;
  /** Messages that came while there was no server. */
  #held: Buffer[] | undefined;
  /** What goes to the server, and to the client, at the end of this read. */
  #toServer: Buffer[] | undefined;
  #toClient: Buffer[] | undefined;
  /** Whether rows, or their description, have come since the last command was complete. `false`: there are none. */
  #hasResult: boolean | undefined;
  /** The client reads too slowly. */
  #isClientSlow = false;
  #transactions = 0;
  #queries = 0;

  /** `params`: those of the first message. */
  constructor(host: QueryHost, session: QuerySession, lender: Lender, params: ReadonlyMap<string, string>) {
    this.#host = host;
    this.#session = session;
    this.#lender = lender;
    this.#startup = host.paramSets.acquire(params);
    this.#params = new SessionParams(this.#startup);
    this.#isBound = host.settings.pooling === "session";
    this.#key = host.cancels.register(this);
    lender.counts.clients(1);
    lender.clients++;
  }

  get notes(): Readonly<Record<string, number>> {
    return { transactions: this.#transactions, queries: this.#queries };
  }

  /** Whether a server works for it, or it waits for one. */
  get isBusy(): boolean {
    return this.#isWaiting || this.#owed > 0;
  }

  /** The server that works for it, for a request to cancel. */
  get busyServer(): ServerConn | undefined {
    return this.#owed > 0 ? this.#server : undefined;
  }

  /** The number of requests that the server has not answered. */
  get #owed(): number {
    return this.#server?.expected.length ?? 0;
  }

  /** Welcomes the client. The first one of a pool waits for a server, which tells its parameters. */
  begin(): void {
    const { defaults } = this.#lender;
    if (defaults === undefined || this.#isBound || this.#params.hasOthers(defaults)) this.#acquire();
    else this.#welcome(defaults);
  }

  // ---- from the client ----

  clientMessage(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    if (this.#server === undefined) {
      (this.#held ??= []).push(Buffer.from(bytes.subarray(start, end)));
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
    if (this.#isWaiting) this.#lender.pool.forget(this);
    this.#statements?.clear();
    this.#host.paramSets.release(this.#startup);
    this.#lender.counts.clients(-1);
    this.#lender.clients--;
    this.#host.cancels.forget(this.#key);
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    if (server.expected.length > 0 || server.expected.isOpen) this.#host.abandoned(server);
    else this.#lender.pool.release(server, this.#isBound);
  }

  #forward(server: ServerConn, type: number, bytes: Buffer, start: number, end: number): void {
    const isUnnamed = type === letter.parse && bytes[start + headSize] === 0;
    if (server.unnamedOf !== undefined && server.unnamedOf !== this.#key.id && !ofData.has(type)) {
      // The unnamed statement of another client must not be run: it goes before anything that could fail.
      server.unnamedOf = undefined;
      if (!surelyDropsUnnamed(type, bytes, start, end)) {
        this.#pass(closeMessage(""));
        this.#expect(entries.closeUnnamed);
      }
    }
    switch (type) {
      case letter.query:
      case letter.call:
        this.#countQuery();
        // A call names its function by a number.
        server.isDirty ||= type === letter.call || mayHaveSideEffects(bytes, start + headSize, end);
        return this.#send(entries.query, bytes, start, end);
      case letter.sync:
        return this.#send(entries.sync, bytes, start, end);
      case letter.execute:
        this.#countQuery();
        return this.#send(entries.execute, bytes, start, end);
      case letter.parse:
        if (isUnnamed) {
          server.unnamedOf = this.#key.id;
          server.hasUnnamedSideEffects = mayPreparedHaveSideEffects(bytes, start + headSize + 1, end);
        }
        return this.#namedStatements.parse(server, bytes, start, end);
      case letter.bind:
        return this.#namedStatements.bind(server, bytes, start, end);
      case letter.describe:
      case letter.close:
        return this.#namedStatements.describeOrClose(server, type === letter.close, bytes.subarray(start, end));
      case letter.copyDone:
      case letter.copyFail:
        checkUnanswered(type, end - start);
        return this.#send(entries.copyEnd, bytes, start, end);
      case letter.flush:
      case letter.copyData:
        checkUnanswered(type, end - start);
        return this.#pass(Buffer.from(bytes.subarray(start, end)));
      default:
        throw new ProtocolError(`a message of the unknown type ${type}`);
    }
  }

  #countQuery(): void {
    this.#queries++;
    this.#host.count("query");
    this.#lender.counts.query();
  }

  get #namedStatements(): ClientStatements {
    return (this.#statements ??= new ClientStatements({
      table: this.#lender.statements,
      terms: () => this.#params.terms,
      max: () => this.#host.settings.maxStatements,
      send: (bytes) => this.#pass(bytes),
      expect: (entry) => this.#expect(entry),
    }));
  }

  #send(entry: Entry, bytes: Buffer, start: number, end: number): void {
    this.#pass(Buffer.from(bytes.subarray(start, end)));
    this.#expect(entry);
  }

  /** To the server. */
  #pass(bytes: Buffer): void {
    (this.#toServer ??= []).push(bytes);
  }

  /** To the client. */
  #tell(bytes: Buffer): void {
    (this.#toClient ??= []).push(bytes);
  }

  #expect(entry: Entry): void {
    const answer = this.#server?.expected.add(entry);
    if (answer !== undefined) this.#tell(answer);
  }

  // ---- from the pool ----

  got(server: ServerConn): void {
    this.#isWaiting = false;
    this.#server = server;
    this.#lender.defaults ??= server.defaults;
    this.#session.servedBy(server.node);
    server.lend(this);
    this.#restore(server);
    // A wrong parameter is told before.
    if (this.#owed === 0 && !this.#hasBegun) this.#welcome(server.defaults);
    const held = this.#held ?? [];
    this.#held = undefined;
    try {
      // They are whole messages.
      for (const bytes of held) this.clientMessage(bytes[0] ?? 0, bytes, 0, bytes.length);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { protocolViolation } = sqlStates;
      return this.#session.close(errorMessage("FATAL", protocolViolation, `it was sent ${error.message}`), "refused");
    }
    this.#flush();
    // Not within this call: in a long queue, each client would give the server to the next one.
    queueMicrotask(() => this.#giveBackIfDone());
  }

  refused(error: Buffer): void {
    this.#isWaiting = false;
    this.#host.count("refused");
    this.#session.close(error, "noNode");
  }

  /** Makes the session that of this client. */
  #restore(server: ServerConn): void {
    this.#isReset = false;
    const difference = this.#params.difference(server);
    if (difference === undefined) return;
    this.#pass(difference);
    this.#expect(entries.own);
  }

  #acquire(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#lender.pool.acquire(this);
    // It may have had a server at once, and have given it back.
    if (this.#server === undefined && this.isBusy) this.#host.count("wait");
    this.#holdOrNot();
  }

  #welcome(defaults: ReadonlyMap<string, string>): void {
    this.#hasBegun = true;
    this.#tell(Buffer.concat([this.#params.welcome(defaults), keyMessage(this.#key), readyIdle]));
    this.#flush();
  }

  // ---- from the server ----

  message(type: number, bytes: Buffer, start: number, end: number): void {
    const server = this.#server;
    if (server === undefined) return;
    if (type === letter.param) this.#takeParam(server, bytes, start, end);
    else if (type === letter.complete) this.#takeLeftover(server, bytes, start, end);
    // There is no tag that tells what has been done so far: locks and sequences stay as they are behind a failure.
    else if (type === letter.error || type === letter.suspended) server.isDirty = true;
    if (type === letter.row || type === letter.rowDescription) this.#hasResult = true;
    else if (type === letter.noData) this.#hasResult = false;
    const isOwn = server.expected.head?.kind === "own query";
    if (isOwn && type === letter.error) return this.#notRestored(bytes, start, end);
    const verdict = server.expected.answered(type);
    const isOurs = verdict === "drop" && (type !== letter.param || !this.#hasBegun);
    if (!isOurs) this.#tell(Buffer.from(bytes.subarray(start, end)));
    const given = server.expected.given();
    if (given !== undefined) this.#tell(given);
    if (type !== letter.ready) return;
    this.#hasResult = undefined;
    if (!this.#hasBegun) this.#welcome(server.defaults);
    if (server.status === idle && verdict === "pass") {
      this.#transactions++;
      this.#host.count("transaction");
      this.#lender.counts.transaction();
    }
    if (this.#isReset && this.#isBound && this.#owed === 0 && server.status === idle) this.#restore(server);
    this.#giveBackIfDone();
  }

  notPrepared(statement: Statement, name: string): void {
    this.#statements?.notPrepared(statement, name);
  }

  notClosed(statement: Statement, name: string): void {
    this.#statements?.notClosed(statement, name);
  }

  drained(): void {
    this.#holdOrNot();
  }

  lost(reason: string): void {
    this.#server = undefined;
    if (this.#isOver) return;
    this.#flush();
    this.#host.count("serverLost");
    this.#session.close(errorMessage("FATAL", sqlStates.connectionFailure, reason), "nodeAborted");
  }

  #takeParam(server: ServerConn, bytes: Buffer, start: number, end: number): void {
    const name = readText(bytes, start + headSize, end);
    this.#params.reported(name.text, readText(bytes, name.next, end).text, server);
  }

  /** The server does not take a parameter that the client has begun with. */
  #notRestored(bytes: Buffer, start: number, end: number): void {
    const { state, text } = readError(bytes, start, end);
    this.#session.close(errorMessage("FATAL", state, text), "refused");
  }

  #takeLeftover(server: ServerConn, bytes: Buffer, start: number, end: number): void {
    const { head, length } = server.expected;
    const hasResult = this.#hasResult ?? (head?.kind === "query" ? false : undefined);
    this.#hasResult = undefined;
    if (head?.kind === "own query") return;
    const leftover = leftoverOf(bytes, start, end, hasResult);
    server.takeLeftover(leftover, length > 1);
    if (leftover === "bound") this.#isBound = true;
    if (leftover === "reset" || leftover === "clean") this.#isReset = true;
    if (leftover === "forgotten" || leftover === "clean") this.#statements?.clear();
  }

  #giveBackIfDone(): void {
    const server = this.#server;
    if (server === undefined || this.#isBound || this.#owed > 0 || server.status !== idle) return;
    this.#flush();
    this.#server = undefined;
    this.#lender.pool.release(server, false);
    this.#holdOrNot();
  }

  #flush(): void {
    const { pipe } = this.#session;
    const toClient = this.#toClient;
    if (toClient !== undefined && !pipe.isDestroyed) {
      this.#toClient = undefined;
      if (!pipe.write(joined(toClient), false)) {
        this.#isClientSlow = true;
        this.#server?.hold(true);
      }
    }
    const toServer = this.#toServer;
    if (toServer !== undefined && this.#server !== undefined) {
      this.#toServer = undefined;
      this.#server.write(joined(toServer), false);
    }
    this.#holdOrNot();
  }

  #holdOrNot(): void {
    const { pipe } = this.#session;
    if (this.#isOver || pipe.isDestroyed) return;
    const isBehind = this.#isClientSlow || this.#owed > maxExpected;
    pipe.hold(this.#isWaiting || isBehind || this.#server?.isSlow === true);
  }
}

const entries = {
  query: { kind: "query" },
  sync: { kind: "sync" },
  execute: { kind: "execute" },
  own: { kind: "own query" },
  copyEnd: { kind: "copy end" },
  closeUnnamed: { kind: "close", evicts: "" },
} as const satisfies Readonly<Record<string, Entry>>;

/** Not a prop: a client that sends more at once is read when the first requests are answered. */
const maxExpected = 10_000;
