// A client: from its first message to its end.
//
//  first message ── TLS, GSS: answered, and another one follows;  a request to cancel: passed on, and closed
//     v
//  the proxy knows the password: login (SCRAM) ──┐
//  only servers know it: RelayedLogin ───────────┴──> welcome ──> queries: see QueryPhase

import type { Deadline } from "@hemi/common";
import {
  clientOf,
  type ClientPipe,
  type ConnEndReason,
  type LinkUser,
  SecurePipe,
  type TcpsConn,
} from "@hemi/internal";
import type { SecureContext } from "node:tls";
import type { Access, ConfiguredUser, Denial } from "../access.ts";
import { errorMessage, sqlStates } from "../protocol/errors.ts";
import { authenticationOk, MessageReader, type MessageUser, ProtocolError } from "../protocol/messages.ts";
import { readStartup, type Startup } from "../protocol/startup.ts";
import type { Lender } from "../server/lender.ts";
import { ClientLogin, type Verifiers } from "./client-login.ts";
import type { QueryEvent, QueryHost, QuerySession } from "./query-host.ts";
import { QueryPhase } from "./query-phase.ts";
import { type RelayedClient, RelayedLogin } from "./relayed-login.ts";

/** What all clients of a proxy have in common. */
export interface SessionHost extends QueryHost {
  /** Read at each use, because live props change them. */
  readonly settings: QueryHost["settings"] & {
    readonly loginTimeout: number;
    readonly idleTimeout: number;
    readonly maxMessageSize: number;
    readonly requireTls: boolean;
  };
  readonly secureContext: SecureContext | undefined;
  readonly access: Access;
  readonly verifiers: Verifiers;
  /** Where a client gets its servers. */
  lenderFor(user: ConfiguredUser, database: string): Lender | Denial;
  /** Lets a client prove itself to a server of its own. */
  relay(user: ConfiguredUser, database: string, client: RelayedClient): RelayedLogin | Denial;
  makeDeadline(onExpired: () => void): Deadline;
  count(event: SessionEvent): void;
  /** A client is gone. */
  left(session: ClientSession): void;
}

export type SessionEvent = QueryEvent | "login" | "loginRefused" | "cancel";

type Session = Extract<Startup, { readonly kind: "session" }>;

/** Thousands of them are idle at a time: what only the login needs is dropped behind it. */
export class ClientSession implements LinkUser, MessageUser, QuerySession {
  /** Among the sessions of its proxy. */
  place = -1;
  readonly #conn: TcpsConn;
  readonly #host: SessionHost;
  readonly #deadline: Deadline;
  readonly #reader = new MessageReader(this);
  pipe: ClientPipe;
  #secure: SecurePipe | undefined;
  #phase: "startup" | "login" | "queries" | "over" = "startup";
  #head = nothing;
  #startup: Session | undefined;
  #login: ClientLogin | RelayedLogin | undefined;
  #lender: Lender | undefined;
  #queries: QueryPhase | undefined;

  constructor(conn: TcpsConn, host: SessionHost) {
    this.#conn = conn;
    this.#host = host;
    this.pipe = conn.link;
    this.#deadline = host.makeDeadline(() => (this.#phase === "over" ? conn.close("clientAborted") : this.#tooLate()));
  }

  begin(): void {
    this.#deadline.set(this.#host.settings.loginTimeout);
    this.#conn.begin(this);
  }

  /** It holds from now on, and not from the next query. */
  idleTimeoutChanged(): void {
    if (this.#phase === "queries") this.#deadline.set(this.#host.settings.idleTimeout);
  }

  // ---- from the connection ----

  received(bytes: Buffer): void {
    if (this.#secure === undefined) this.#received(bytes);
    else this.#secure.received(bytes);
  }

  ended(): void {
    if (this.#secure === undefined) this.#end();
    else this.#secure.ended();
  }

  drained(): void {
    if (this.#secure === undefined) this.#queries?.clientDrained();
    else this.#secure.drained();
  }

  closed(): void {
    this.#phase = "over";
    this.#deadline.clear();
    this.#secure?.closed();
    this.#close();
    this.#host.left(this);
    const { user, database } = this.#lender ?? this.#startup ?? {};
    if (user === undefined || database === undefined) return;
    this.#conn.note({ user, database, ...this.#queries?.notes });
  }

  // ---- from its reader ----

  get maxMessageSize(): number {
    return this.#phase === "queries" ? this.#host.settings.maxMessageSize : maxLoginMessage;
  }

  message(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#phase === "queries") {
      if (type === terminate) this.#end();
      else this.#queries?.clientMessage(type, bytes, start, end);
      return;
    }
    if (this.#phase !== "login") return;
    if (type !== password || this.#login === undefined) throw new ProtocolError("something else than a password");
    if (this.#login instanceof RelayedLogin) {
      return this.#login.answered(Buffer.from(bytes.subarray(start, end)));
    }
    const { send, outcome } = this.#login.answer(bytes, start, end);
    if (send !== undefined) this.pipe.write(send, false);
    if (outcome === "refused") this.#refuseLogin();
    else if (outcome === "known") this.#proven();
  }

  // ---- from its queries ----

  servedBy(node: string): void {
    this.#conn.servedBy(node);
  }

  close(error: Buffer | undefined, reason: ConnEndReason): void {
    if (this.#phase === "over") return;
    if (error !== undefined && !this.pipe.isDestroyed) this.pipe.write(error, false);
    this.#conn.endsBecauseOf(reason);
    this.#end();
  }

  /** What the client has sent, without TLS. */
  #received(bytes: Buffer): void {
    if (this.#phase === "over") return;
    try {
      if (this.#phase === "startup") this.#addToHead(bytes);
      else this.#reader.add(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(sqlStates.protocolViolation, `it was sent ${error.message}`, "refused");
    }
    if (this.#phase === "queries") {
      this.#deadline.set(this.#host.settings.idleTimeout);
      this.#queries?.told();
    }
  }

  #addToHead(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes]);
    const read = readStartup(this.#head);
    if (read === undefined) return;
    const { startup, end } = read;
    const rest = this.#head.subarray(end);
    this.#head = nothing;
    if (startup.kind === "tls" || startup.kind === "gss") {
      // Whatever follows before the answer would be put in by somebody in between (CVE-2021-23214).
      if (rest.length > 0) throw new ProtocolError("bytes behind a request for encryption");
      return this.#answerRequest(startup.kind);
    }
    if (startup.kind === "cancel") {
      this.#host.count("cancel");
      this.#host.cancels.request(startup);
      return this.#end();
    }
    this.#startUp(startup);
    if (rest.length > 0) this.#received(rest);
  }

  #answerRequest(kind: "tls" | "gss"): void {
    const { secureContext } = this.#host;
    const mayUse =
      kind === "tls" && secureContext !== undefined && this.#secure === undefined && this.#conn.tls === undefined;
    this.pipe.write(Buffer.from(mayUse ? "S" : "N"), false);
    if (!mayUse) return;
    const user: LinkUser = {
      received: (bytes) => this.#received(bytes),
      // The protocol knows no half-closed connections.
      ended: () => this.#end(),
      drained: () => this.#queries?.clientDrained(),
      closed: () => {},
    };
    this.#secure = new SecurePipe(this.#conn.link, secureContext, user, () => this.#conn.close("clientAborted"));
    this.pipe = this.#secure;
  }

  #startUp(startup: Session): void {
    this.#startup = startup;
    const isSecure = this.#secure !== undefined || this.#conn.tls !== undefined;
    if (this.#host.settings.requireTls && !isSecure) {
      return this.#fail(sqlStates.notAllowed, "the proxy wants TLS", "refused");
    }
    if (startup.negotiation !== undefined) this.pipe.write(startup.negotiation, false);
    this.#phase = "login";
    const user = this.#host.access.userOf(startup.user);
    if (user?.password === "") return this.#relay(user, startup.database, isSecure);
    const login = new ClientLogin(this.#host.verifiers.of(startup.user));
    this.#login = login;
    this.pipe.write(login.request, false);
  }

  /** The proxy does not know the password. */
  #relay(user: ConfiguredUser, database: string, isClientSecure: boolean): void {
    const login = this.#host.relay(user, database, {
      source: clientOf(this.#conn.srcHost),
      isClientSecure,
      ask: (message) => void this.pipe.write(message, false),
      known: (lender) => this.#known(lender),
      failed: (error) => this.#notRelayed(error),
    });
    if ("state" in login) return this.#fail(login.state, login.text, "refused");
    this.#login = login;
    login.begin();
  }

  #notRelayed(error: Buffer | undefined): void {
    if (this.#phase !== "login") return;
    this.#host.count("loginRefused");
    this.close(error, "refused");
  }

  #refuseLogin(): void {
    this.#host.count("loginRefused");
    const text = `password authentication failed for user "${this.#startup?.user ?? ""}"`;
    this.#fail(sqlStates.invalidPassword, text, "refused");
  }

  /** The proxy knows who it is. */
  #proven(): void {
    const user = this.#host.access.userOf(this.#startup?.user ?? "");
    if (user === undefined) return this.#refuseLogin();
    const lender = this.#host.lenderFor(user, this.#startup?.database ?? "");
    if ("state" in lender) this.#fail(lender.state, lender.text, "refused");
    else this.#known(lender);
  }

  #known(lender: Lender): void {
    const { params = new Map<string, string>() } = this.#startup ?? {};
    this.#host.count("login");
    this.#queries = new QueryPhase(this.#host, this, lender, params);
    this.#lender = lender;
    this.#login = undefined;
    this.#startup = undefined;
    this.#phase = "queries";
    this.#deadline.set(this.#host.settings.idleTimeout);
    this.pipe.write(authenticationOk, false);
    this.#queries.begin();
  }

  #tooLate(): void {
    if (this.#queries?.isBusy === true) return this.#deadline.set(this.#host.settings.idleTimeout);
    const isLogin = this.#phase !== "queries";
    this.#fail(
      sqlStates.idle,
      isLogin ? "the login took too long" : "the session was idle for too long",
      "idleTimeout",
    );
  }

  #fail(state: string, text: string, reason: ConnEndReason): void {
    this.close(errorMessage("FATAL", state, text), reason);
  }

  #end(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#reader.stop();
    this.#close();
    // Whoever does not read, or does not close, is not waited for.
    this.#deadline.set(lingerTime);
    if (!this.pipe.isDestroyed) this.pipe.end();
    this.pipe.hold(false);
  }

  #close(): void {
    this.#queries?.close();
    if (this.#login instanceof RelayedLogin) this.#login.close();
    this.#login = undefined;
  }
}

const nothing = Buffer.alloc(0);
const terminate = 88;
const password = 112;
/** Not a prop: what PostgreSQL takes before a login. */
const maxLoginMessage = 65_536;
/** In milliseconds. Not a prop: how long a client may take to close its side. */
const lingerTime = 5000;
