// A connection to a server: dialled, secured, logged in, then lent to one client after another.
//
//  dialling ──> TLS ──> login ──> free <──> lent to a user
//                                  └──> resetting ──> free

import {
  type BackendFailure,
  type DialUser,
  type Link,
  type LinkUser,
  secured,
  type ServerTls,
  type TcpsBackend,
} from "@hemi/internal";
import { errorMessage, readError, sqlStates } from "../protocol/errors.ts";
import { idle, message, MessageReader, type MessageUser, ProtocolError, readText } from "../protocol/messages.ts";
import { startupMessage, tlsRequest } from "../protocol/startup.ts";
import { Expected, type Ignored } from "./expected.ts";
import type { Leftover } from "./leftovers.ts";
import type { ServerAuth } from "./server-auth.ts";
import type { Statement } from "./statements.ts";

/** Has a connection for itself. */
export interface ServerUser {
  /** A message of the server. The bytes are valid until it returns. */
  message(type: number, bytes: Buffer, start: number, end: number): void;
  /** Everything of one read has been told. */
  told(): void;
  /** The client's Parse of this statement, under this name, has failed or is ignored. */
  notPrepared(statement: Statement, name: string): void;
  /** A Close of the client is ignored: it still has the statement. */
  notClosed(statement: Statement, name: string): void;
  /** What was written has been passed on, after a `write` that returned false. */
  drained(): void;
  /** The connection is closed. */
  lost(reason: string): void;
}

export interface ServerConnOptions {
  readonly backend: TcpsBackend;
  /** Who logs in. */
  readonly user: string;
  readonly database: string;
  /** Proves it. */
  readonly auth: ServerAuth;
  readonly tls: ServerTls;
  /** Read at each use, because live props change it. */
  readonly settings: { readonly maxMessageSize: number };
  /** It can be used now. */
  readonly ready: (conn: ServerConn) => void;
  /** It is closed. `error`: for the clients that waited for it; `undefined` if it had been ready. */
  readonly over: (conn: ServerConn, error: Buffer | undefined) => void;
  readonly log: (failure: string) => void;
}

export class ServerConn implements DialUser, LinkUser, MessageUser, Ignored {
  readonly #options: ServerConnOptions;
  readonly #tried: string[] = [];
  readonly #reader = new MessageReader(this);
  #dialling: { cancel(): void } | undefined;
  #link: Link | undefined;
  #phase: "dialling" | "securing" | "login" | "ready" = "dialling";
  #isSecure = false;
  #user: ServerUser | undefined;
  #error: Buffer | undefined;
  /** What the server reports: `TimeZone`, `client_encoding`, … */
  readonly params = new Map<string, string>();
  /** The names of `params`, in small letters. */
  readonly reported = new Set<string>();
  /** What the last client has begun with, beyond `params`. `undefined`: it may have another value by now. */
  readonly others = new Map<string, string | undefined>();
  /** The values of `params` at the beginning of the session. */
  defaults: ReadonlyMap<string, string> = new Map();
  /** For requests to cancel. */
  id = 0;
  key: Buffer = Buffer.alloc(0);
  node = "";
  /** The state of its transaction: `I`, `T` or `E`. */
  status = idle;
  /** Its session has something that the next client must not find. */
  isDirty = false;
  /** Names of statements that it has. */
  readonly statements = new Set<string>();
  /** The id of the client whose unnamed statement it may have. */
  unnamedOf: number | undefined;
  /** Running the unnamed statement may leave something in the session. */
  hasUnnamedSideEffects = false;
  /** What it owes its user. */
  readonly expected = new Expected(this);
  isOver = false;
  /** Requests to cancel that are under way, and who waits until there is none. */
  #cancels = 0;
  #afterCancels: (() => void) | undefined;

  constructor(options: ServerConnOptions) {
    this.#options = options;
  }

  get maxMessageSize(): number {
    return this.#options.settings.maxMessageSize;
  }

  get backend(): TcpsBackend {
    return this.#options.backend;
  }

  dial(): void {
    const nobody = { address: "", port: 0 };
    const about = { serverName: "", nextProto: "", tls: undefined };
    const wish = { key: "", stickTo: "", tried: this.#tried, from: nobody, to: nobody, about };
    this.#dialling = this.#options.backend.dial(wish, this);
  }

  /** A request to cancel is under way, until the returned function is called. */
  cancelling(): () => void {
    this.#cancels++;
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      if (--this.#cancels > 0) return;
      const next = this.#afterCancels;
      this.#afterCancels = undefined;
      next?.();
    };
  }

  /** Calls back as soon as no request to cancel is under way: it would hit whatever the session does then. */
  whenNotCancelled(next: () => void): void {
    if (this.#cancels === 0) next();
    else this.#afterCancels = next;
  }

  /** A command has left this. `isFollowed`: more was sent behind the command, and may leave something again. */
  takeLeftover(leftover: Leftover, isFollowed: boolean): void {
    if (leftover === "dirty") this.isDirty = true;
    else if (leftover === "reset") for (const name of this.others.keys()) this.others.set(name, undefined);
    else if (leftover === "forgotten" || leftover === "clean") {
      this.statements.clear();
      this.isDirty = isFollowed || (this.isDirty && leftover === "forgotten");
      if (leftover === "clean") this.others.clear();
    }
  }

  /** From now on, its messages are for this user; `undefined`: for nobody. */
  lend(user: ServerUser | undefined): void {
    this.#user = user;
  }

  /** Returns false if the server reads too slowly. */
  write(bytes: Buffer, isShared: boolean): boolean {
    return this.#link?.write(bytes, isShared) ?? true;
  }

  hold(isHeld: boolean): void {
    this.#link?.hold(isHeld);
  }

  get isSlow(): boolean {
    return this.#link?.needsDrain === true;
  }

  /** It was not ready in time. */
  giveUp(): void {
    this.#options.log(`node ${this.node}: it did not let the proxy in in time`);
    this.#fail("the server did not answer in time", sqlStates.connectionFailure);
    this.close();
  }

  /** Ends the session in the regular way. */
  terminate(): void {
    if (!this.isOver && this.#phase === "ready") this.#link?.write(message("X"), false);
    this.#link?.end();
    this.#end("it was closed");
    // A server that does not close is not waited for.
    if (this.#link?.socket.writableFinished === false) this.#link.socket.once("finish", () => this.close());
    else this.close();
  }

  close(): void {
    this.#end("it was closed");
    this.#dialling?.cancel();
    this.#link?.destroy();
  }

  connected(link: Link, node: string): void {
    this.#link = link;
    this.node = node;
    link.use(this);
    link.hold(false);
    if (this.#options.tls.mode === "off") return this.#startUp(false);
    this.#phase = "securing";
    link.write(tlsRequest, false);
  }

  failed(failure: BackendFailure): void {
    this.#options.log(failure.message);
    if (failure.node !== "") this.#tried.push(failure.node);
    const mayRetry = failure.node !== "" && this.#options.backend.whyNoRetry(this.#tried) === undefined;
    if (mayRetry && !this.isOver) this.dial();
    else this.#fail("no server can be reached", sqlStates.connectionFailure);
  }

  nodeDown(): void {
    this.close();
  }

  received(bytes: Buffer): void {
    if (this.#phase === "securing") return this.#secure(bytes);
    try {
      this.#reader.add(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#options.log(`node ${this.node}: it sent ${error.message}`);
      this.#fail("the server sent something malformed", sqlStates.protocolViolation);
      this.close();
    }
    this.#user?.told();
  }

  ended(): void {
    this.close();
  }

  drained(): void {
    this.#user?.drained();
  }

  closed(): void {
    this.#fail("the server closed the connection", sqlStates.connectionFailure);
  }

  // ---- of its reader and of what it owes ----

  message(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    if (this.#phase === "login") this.#loginMessage(type, bytes, start, end);
    else this.#message(type, bytes, start, end);
  }

  notPrepared(statement: Statement, name: string | undefined): void {
    this.statements.delete(statement.name);
    if (name !== undefined) this.#user?.notPrepared(statement, name);
  }

  notGiven(statement: Statement, name: string, isClose: boolean): void {
    if (isClose) this.#user?.notClosed(statement, name);
    else this.#user?.notPrepared(statement, name);
  }

  notEvicted(name: string): void {
    this.statements.add(name);
  }

  /** One byte: `S` to go on with TLS, anything else is a refusal. More would be put in by somebody in between. */
  #secure(bytes: Buffer): void {
    if (bytes.length !== 1 || bytes[0] !== 83 || this.#link === undefined) {
      this.#options.log(`node ${this.node}: it has no TLS`);
      this.#fail("the server has no TLS", sqlStates.connectionFailure);
      return this.close();
    }
    this.#link = secured(this.#link, this.#options.tls, this.node, this, () => this.#startUp(true));
    this.#link.socket.once("error", (error: Error) => this.#options.log(`node ${this.node}: ${error.message}`));
  }

  #startUp(isSecure: boolean): void {
    this.#phase = "login";
    this.#isSecure = isSecure;
    const { user, database } = this.#options;
    // Everything else is set when a client has it.
    this.write(startupMessage(user, database, new Map()), false);
  }

  #loginMessage(type: number, bytes: Buffer, start: number, end: number): void {
    const { auth, user } = this.#options;
    switch (type) {
      case types.authentication: {
        const step = auth.asked(bytes, start, end, this.#isSecure);
        if (typeof step === "string") return;
        if ("send" in step) return void this.write(step.send, false);
        this.#options.log(`node ${this.node}: ${step.failure}`);
        this.#fail("the proxy could not log in at the server", sqlStates.connectionFailure);
        return this.close();
      }
      case types.key:
        if (end - start < 9) throw new ProtocolError("a key that is too short");
        this.id = bytes.readInt32BE(start + 5);
        this.key = Buffer.from(bytes.subarray(start + 9, end));
        return;
      case types.param:
        return this.#takeParam(bytes, start, end);
      case types.ready:
        this.#phase = "ready";
        this.defaults = new Map(this.params);
        return this.#options.ready(this);
      case types.error: {
        const { state, text } = readError(bytes, start, end);
        const isFault = !auth.isOfClient || !isOfLogin(state);
        if (isFault) this.#options.log(`node ${this.node}: it refused the login of ${user}: ${state} ${text}`);
        const isForClient = auth.isOfClient || state === sqlStates.noDatabase;
        this.#error = isForClient ? errorMessage("FATAL", state, text) : undefined;
        this.#fail("the server refused the proxy", state === "" ? sqlStates.connectionFailure : state);
        return this.close();
      }
    }
  }

  #message(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === types.param) this.#takeParam(bytes, start, end);
    else if (type === types.ready) this.status = bytes[start + 5] ?? idle;
    if (this.#user !== undefined) return this.#user.message(type, bytes, start, end);
    // Free: the server ends it, or says what was for the last client, and must not be for the next one.
    if (!unasked.has(type)) this.close();
  }

  #takeParam(bytes: Buffer, start: number, end: number): void {
    const name = readText(bytes, start + 5, end);
    const value = readText(bytes, name.next, end);
    this.params.set(name.text, value.text);
    this.reported.add(name.text.toLowerCase());
  }

  #fail(reason: string, state: string): void {
    if (this.#phase !== "ready") this.#error ??= errorMessage("FATAL", state, reason);
    this.#end(reason);
  }

  #end(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    const user = this.#user;
    this.#user = undefined;
    const error = this.#error ?? errorMessage("FATAL", sqlStates.connectionFailure, `the connection: ${reason}`);
    this.#options.over(this, this.#phase === "ready" ? undefined : error);
    user?.lost(reason);
  }
}

const types = { authentication: 82, key: 75, param: 83, ready: 90, error: 69 } as const;

/** What a server says at any time: ParameterStatus, NoticeResponse and NotificationResponse. */
const unasked: ReadonlySet<number> = new Set([types.param, 78, 65]);

/** Whether an error says that the client is not who it says, or may not do what it asks: no fault of the server. */
function isOfLogin(state: string): boolean {
  return state.startsWith("28") || state === sqlStates.noDatabase;
}
