// A client: from its first message to its end.
//
//  first message ── TLS, GSS: answered, and another one follows;  a request to cancel: passed on, and closed
//     v
//  login (SCRAM) ──> welcome ──> queries: see QueryPhase

import type { Deadline } from "@hemi/common";
import { type ClientPipe, type ConnEndReason, type LinkUser, SecurePipe, type TcpsConn } from "@hemi/internal";
import type { SecureContext } from "node:tls";
import { errorMessage, sqlStates } from "../protocol/errors.ts";
import { authenticationOk, MessageReader, ProtocolError } from "../protocol/messages.ts";
import { readStartup, type Startup } from "../protocol/startup.ts";
import type { ServerConn } from "../server/server-conn.ts";
import { ClientLogin, type Verifiers } from "./client-login.ts";
import { QueryPhase, type Lender, type QueryEvent } from "./query-phase.ts";

export interface SessionOptions {
  /** Read at each use, because live props change them. */
  readonly settings: {
    readonly loginTimeout: number;
    readonly idleTimeout: number;
    readonly maxMessageSize: number;
    readonly maxStatements: number;
    readonly pooling: "transaction" | "session";
    readonly requireTls: boolean;
  };
  readonly secureContext: SecureContext | undefined;
  readonly verifiers: Verifiers;
  /** Where the client gets its servers; a text: why it does not. */
  readonly lenderFor: (user: string, database: string) => Lender | { readonly state: string; readonly text: string };
  /** Gives the session a key by which it is found again for `cancel`. */
  readonly register: (phase: QueryPhase) => { readonly id: number; readonly key: Buffer };
  readonly cancel: (id: number, key: Buffer) => void;
  /** The client has left while the server works for it. */
  readonly abandoned: (server: ServerConn) => void;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  readonly count: (event: SessionEvent) => void;
}

export type SessionEvent = QueryEvent | "login" | "loginRefused" | "cancel";

type Session = Extract<Startup, { readonly kind: "session" }>;

export class ClientSession implements LinkUser {
  readonly #conn: TcpsConn;
  readonly #options: SessionOptions;
  readonly #deadline: Deadline;
  #pipe: ClientPipe;
  #secure: SecurePipe | undefined;
  #phase: "startup" | "login" | "queries" | "over" = "startup";
  #head: Buffer = Buffer.alloc(0);
  #startup: Session | undefined;
  #login: ClientLogin | undefined;
  #queries: QueryPhase | undefined;
  readonly #reader: MessageReader;

  constructor(conn: TcpsConn, options: SessionOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#pipe = conn.link;
    this.#deadline = options.makeDeadline(() =>
      this.#phase === "over" ? conn.close("clientAborted") : this.#tooLate(),
    );
    this.#reader = new MessageReader(
      () => (this.#phase === "queries" ? options.settings.maxMessageSize : maxLoginMessage),
      (type, bytes, start, end) => this.#message(type, bytes, start, end),
    );
  }

  begin(): void {
    this.#deadline.set(this.#options.settings.loginTimeout);
    this.#conn.begin({
      received: (bytes, isShared) => {
        if (this.#secure === undefined) this.received(bytes, isShared);
        else this.#secure.received(bytes);
      },
      ended: () => (this.#secure === undefined ? this.ended() : this.#secure.ended()),
      drained: () => (this.#secure === undefined ? this.drained() : this.#secure.drained()),
      closed: () => this.closed(),
    });
  }

  received(bytes: Buffer, isShared: boolean): void {
    if (this.#phase === "over") return;
    try {
      if (this.#phase === "startup") this.#addToHead(bytes);
      else this.#reader.add(bytes, isShared);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(sqlStates.protocolViolation, `it was sent ${error.message}`, "refused");
    }
    if (this.#phase === "queries") {
      this.#deadline.set(this.#options.settings.idleTimeout);
      this.#queries?.told();
    }
  }

  /** The protocol knows no half-closed connections. */
  ended(): void {
    this.#end();
  }

  drained(): void {
    this.#queries?.clientDrained();
  }

  closed(): void {
    this.#phase = "over";
    this.#deadline.clear();
    this.#secure?.closed();
    this.#queries?.close();
    if (this.#startup === undefined) return;
    const { user, database } = this.#startup;
    this.#conn.note({ user, database, ...this.#queries?.notes });
  }

  #addToHead(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes]);
    const read = readStartup(this.#head);
    if (read === undefined) return;
    const { startup, end } = read;
    const rest = this.#head.subarray(end);
    this.#head = Buffer.alloc(0);
    if (startup.kind === "tls" || startup.kind === "gss") {
      // Whatever follows before the answer would be put in by somebody in between (CVE-2021-23214).
      if (rest.length > 0) throw new ProtocolError("bytes behind a request for encryption");
      return this.#answerRequest(startup.kind);
    }
    if (startup.kind === "cancel") {
      this.#options.count("cancel");
      this.#options.cancel(startup.id, startup.key);
      return this.#end();
    }
    this.#startUp(startup);
    if (rest.length > 0) this.received(rest, false);
  }

  #answerRequest(kind: "tls" | "gss"): void {
    const { secureContext } = this.#options;
    const mayUse =
      kind === "tls" && secureContext !== undefined && this.#secure === undefined && this.#conn.tls === undefined;
    this.#pipe.write(Buffer.from(mayUse ? "S" : "N"), false);
    if (!mayUse) return;
    this.#secure = new SecurePipe(this.#conn.link, secureContext, this, () => this.#conn.close("clientAborted"));
    this.#pipe = this.#secure;
  }

  #startUp(startup: Session): void {
    this.#startup = startup;
    const isSecure = this.#secure !== undefined || this.#conn.tls !== undefined;
    if (this.#options.settings.requireTls && !isSecure) {
      return this.#fail(sqlStates.notAllowed, "the proxy wants TLS", "refused");
    }
    if (startup.negotiation !== undefined) this.#pipe.write(startup.negotiation, false);
    this.#phase = "login";
    this.#login = new ClientLogin(this.#options.verifiers.of(startup.user));
    this.#pipe.write(this.#login.request, false);
  }

  #message(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#phase === "queries") {
      if (type === terminate) this.#end();
      else this.#queries?.clientMessage(type, bytes, start, end);
      return;
    }
    if (this.#phase !== "login") return;
    if (type !== password || this.#login === undefined) throw new ProtocolError("something else than a password");
    const { send, outcome } = this.#login.answer(bytes, start, end);
    if (send !== undefined) this.#pipe.write(send, false);
    if (outcome === "refused") this.#refuseLogin();
    else if (outcome === "known") this.#known();
  }

  #refuseLogin(): void {
    this.#options.count("loginRefused");
    const text = `password authentication failed for user "${this.#startup?.user ?? ""}"`;
    this.#fail(sqlStates.invalidPassword, text, "refused");
  }

  #known(): void {
    if (this.#startup === undefined) return;
    const { user, database, params } = this.#startup;
    const lender = this.#options.lenderFor(user, database);
    if ("state" in lender) return this.#fail(lender.state, lender.text, "refused");
    this.#options.count("login");
    const queries: QueryPhase = new QueryPhase({
      pipe: this.#pipe,
      lender,
      params,
      settings: this.#options.settings,
      count: this.#options.count,
      key: () => this.#options.register(queries),
      servedBy: (node) => this.#conn.servedBy(node),
      abandoned: this.#options.abandoned,
      close: (error, reason) => this.#failWith(error, reason),
    });
    this.#queries = queries;
    this.#phase = "queries";
    this.#deadline.set(this.#options.settings.idleTimeout);
    this.#pipe.write(authenticationOk, false);
    queries.begin();
  }

  #tooLate(): void {
    if (this.#queries?.isBusy === true) return this.#deadline.set(this.#options.settings.idleTimeout);
    const isLogin = this.#phase !== "queries";
    this.#fail(
      sqlStates.idle,
      isLogin ? "the login took too long" : "the session was idle for too long",
      "idleTimeout",
    );
  }

  #fail(state: string, text: string, reason: ConnEndReason): void {
    this.#failWith(errorMessage("FATAL", state, text), reason);
  }

  #failWith(error: Buffer | undefined, reason: ConnEndReason): void {
    if (this.#phase === "over") return;
    if (error !== undefined && !this.#pipe.isDestroyed) this.#pipe.write(error, false);
    this.#conn.endsBecauseOf(reason);
    this.#end();
  }

  #end(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#reader.stop();
    this.#queries?.close();
    // Whoever does not read, or does not close, is not waited for.
    this.#deadline.set(lingerTime);
    if (!this.#pipe.isDestroyed) this.#pipe.end();
    this.#pipe.hold(false);
  }
}

const terminate = 88;
const password = 112;
/** Not a prop: what PostgreSQL takes before a login. */
const maxLoginMessage = 65_536;
/** In milliseconds. Not a prop: how long a client may take to close its side. */
const lingerTime = 5000;
