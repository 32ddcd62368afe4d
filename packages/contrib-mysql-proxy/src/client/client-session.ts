// A client: from our greeting to its end.
//
//  greeting ──> response ── a request for TLS: then another response
//     v
//  the proxy knows the password: proof ──> server ─┐
//  only servers know it: server ──> proof ─────────┴──> welcome ──> commands: see CommandPhase

import type { Deadline } from "@hemi/common";
import {
  type ClientPipe,
  type ConnEndReason,
  type InnerTls,
  type LinkUser,
  SecurePipe,
  type TcpsConn,
} from "@hemi/internal";
import type { Access, ConfiguredUser, Destination } from "../access.ts";
import { offered } from "../protocol/capabilities.ts";
import { errorPayload, okPacket, type ErrorName } from "../protocol/errors.ts";
import { greetingPacket, isTlsRequest, readResponse, type ClientResponse } from "../protocol/handshake.ts";
import { newScramble, plugins } from "../protocol/passwords.ts";
import { headSize, MessageReader, packet, ProtocolError, sequenceAfter } from "../protocol/packets.ts";
import { ClientAuth, marks, OwnAuth, type ServerAuth } from "../server/server-auth.ts";
import { ServerConn } from "../server/server-conn.ts";
import { ClientLogin, type LoginStep } from "./client-login.ts";
import type { KillTarget, KillTargets } from "../kill-targets.ts";
import { CommandPhase, type CommandEvent } from "./command-phase.ts";

export interface SessionOptions {
  /** Read at each use, because live props change them. */
  readonly settings: {
    readonly serverVersion: string;
    readonly loginTimeout: number;
    readonly idleTimeout: number;
    readonly maxCommandSize: number;
    readonly writerTime: number;
    readonly requireTls: boolean;
  };
  readonly id: number;
  readonly tls: InnerTls;
  readonly access: Access;
  /** The sessions of all clients. */
  readonly killTargets: KillTargets;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly count: (event: SessionEvent) => void;
  readonly log: (failure: string) => void;
}

/** What becomes of a connection to a server. `error`: the payload for the client. */
interface ServerEvents {
  readonly ready: () => void;
  readonly failed: (error: Buffer) => void;
}

export type SessionEvent = CommandEvent | "login" | "loginRefused";

export class ClientSession implements LinkUser {
  readonly #conn: TcpsConn;
  readonly #options: SessionOptions;
  readonly #deadline: Deadline;
  readonly #scramble = newScramble();
  readonly #reader: MessageReader;
  #pipe: ClientPipe;
  #secure: SecurePipe | undefined;
  #phase: "response" | "login" | "commands" | "over" = "response";
  /** Of the next packet to the client, during the login. */
  #sequence = 1;
  #head: Buffer = Buffer.alloc(0);
  #response: ClientResponse | undefined;
  #login: ClientLogin | undefined;
  #relayed: ClientAuth | undefined;
  #server: ServerConn | undefined;
  #commands: CommandPhase | undefined;

  constructor(conn: TcpsConn, options: SessionOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#pipe = conn.link;
    this.#deadline = options.makeDeadline(() =>
      this.#phase === "over" ? conn.close("clientAborted") : this.#tooLate(),
    );
    this.#reader = new MessageReader(
      () => (this.#phase === "commands" ? options.settings.maxCommandSize : maxLoginMessage),
      (bytes, start, end) => this.#message(bytes, start, end),
    );
  }

  begin(): void {
    const { settings, id, tls } = this.#options;
    this.#deadline.set(settings.loginTimeout);
    const mayUseTls = tls.secureContext !== undefined && this.#conn.tls === undefined;
    const greeting = { threadId: id, capabilities: offered, scramble: this.#scramble, plugin: plugins.sha2 };
    this.#pipe.write(greetingPacket(greeting, settings.serverVersion, mayUseTls), false);
    this.#conn.begin({
      received: (bytes) => {
        if (this.#secure === undefined) this.received(bytes);
        else this.#secure.received(bytes);
      },
      ended: () => (this.#secure === undefined ? this.ended() : this.#secure.ended()),
      drained: () => (this.#secure === undefined ? this.drained() : this.#secure.drained()),
      closed: () => this.closed(),
    });
  }

  /** It holds from now on, and not from the next command. */
  idleTimeoutChanged(): void {
    if (this.#phase === "commands") this.#deadline.set(this.#options.settings.idleTimeout);
  }

  /** Who has the session at a server, for KILL. */
  get killTarget(): KillTarget | undefined {
    return this.#commands?.killTarget;
  }

  received(bytes: Buffer): void {
    if (this.#phase === "over") return;
    try {
      if (this.#phase === "response") this.#addToHead(bytes);
      else this.#reader.add(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const name = error.message.includes("more than") ? "tooLarge" : "handshake";
      this.#fail(name, `the proxy was sent ${error.message}`, "refused");
    }
    if (this.#phase === "commands") this.#deadline.set(this.#options.settings.idleTimeout);
  }

  /** The protocol knows no half-closed connections. */
  ended(): void {
    this.#end();
  }

  drained(): void {
    this.#commands?.clientDrained();
  }

  closed(): void {
    this.#phase = "over";
    this.#deadline.clear();
    this.#secure?.closed();
    this.#close();
    if (this.#response === undefined) return;
    const { user, database } = this.#response;
    this.#conn.note({ user, database, ...this.#commands?.notes });
  }

  /** Bytes behind a request for TLS belong to TLS. */
  #addToHead(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length < headSize) return;
    const end = headSize + this.#head.readUIntLE(0, 3);
    if (end > maxLoginMessage) throw new ProtocolError("a response with a length that lies");
    if (this.#head.length < end) return;
    const message = this.#head.subarray(0, end);
    const rest = this.#head.subarray(end);
    this.#head = Buffer.alloc(0);
    if (message[3] !== this.#sequence) throw new ProtocolError("a response out of order");
    this.#sequence++;
    const payload = message.subarray(headSize);
    if (isTlsRequest(payload)) return this.#startTls(rest);
    this.#responded(readResponse(payload));
    if (rest.length > 0) this.received(rest);
  }

  #startTls(rest: Buffer): void {
    const { secureContext } = this.#options.tls;
    if (secureContext === undefined || this.#secure !== undefined || this.#conn.tls !== undefined) {
      throw new ProtocolError("a request for TLS that was not offered");
    }
    this.#secure = new SecurePipe(this.#conn.link, secureContext, this, () => this.#conn.close("clientAborted"));
    this.#pipe = this.#secure;
    if (rest.length > 0) this.#secure.received(rest);
  }

  #responded(response: ClientResponse): void {
    const { settings, access } = this.#options;
    this.#response = response;
    this.#phase = "login";
    if (settings.requireTls && !this.#isSecure) return this.#fail("tlsRequired", "the proxy wants TLS", "refused");
    const user = access.userOf(response.user);
    if (user?.password === "") return this.#relay(user, response);
    // A stranger learns only that the password is wrong.
    this.#login = new ClientLogin(user?.password ?? newScramble().toString("latin1"), this.#scramble, response);
    this.#step(this.#login.first(response.proof));
  }

  get #isSecure(): boolean {
    return this.#secure !== undefined || this.#conn.tls !== undefined;
  }

  #message(bytes: Buffer, start: number, end: number): void {
    if (this.#phase === "commands") return this.#commands?.clientMessage(bytes, start, end);
    if (this.#phase !== "login") return;
    this.#sequence = sequenceAfter(bytes, start, end);
    const payload = Buffer.from(bytes.subarray(start + headSize, end));
    if (this.#relayed !== undefined) this.#relayed.answered(payload);
    else if (this.#login !== undefined) this.#step(this.#login.answered(payload));
    else throw new ProtocolError("a message before the login is over");
  }

  #step(step: LoginStep): void {
    if (step === "refused") return this.#refuseLogin();
    if (step !== "known") return this.#send(step.ask);
    const response = this.#response;
    const user = response === undefined ? undefined : this.#options.access.userOf(response.user);
    if (response === undefined || user === undefined) return this.#refuseLogin();
    if (this.#login?.plugin === plugins.sha2) this.#send(Buffer.of(marks.more, marks.isKnown));
    // Another proof would make another connection to a server.
    this.#login = undefined;
    this.#connect(user, response, () => new OwnAuth(user.password));
  }

  /** The client proves to the server that it knows the password. */
  #relay(user: ConfiguredUser, response: ClientResponse): void {
    const relayed = new ClientAuth(this.#isSecure, (payload) => this.#send(payload));
    this.#relayed = relayed;
    this.#connect(user, response, () => relayed);
  }

  #connect(user: ConfiguredUser, response: ClientResponse, makeAuth: () => ServerAuth): void {
    const { access } = this.#options;
    const { database } = response;
    if (database !== "" && !access.mayUse(user, database)) return this.#denyDatabase(user, database);
    const destination = access.destinationOf(user.name, database);
    const server = this.#serverAt(destination.toBackend.current, response, makeAuth(), {
      ready: () => this.#welcome(server, user, response, destination, makeAuth),
      failed: (error) => {
        if (error.readUInt16LE(1) === accessDenied) this.#options.count("loginRefused");
        this.#failWith(error, "noNode");
      },
    });
    this.#server = server;
    server.dial();
  }

  #serverAt(
    backend: Destination["toBackend"]["current"],
    response: ClientResponse,
    auth: ServerAuth,
    events: ServerEvents,
  ): ServerConn {
    const { source, destination } = this.#conn;
    const key = this.#conn.srcHost;
    const wish = { key, stickTo: "", tried: [], from: source, to: destination, about: this.#conn };
    const { tls, log } = this.#options;
    return new ServerConn({ backend, wish, response, auth, tls: tls.server, log, ...events });
  }

  /** The limit for the client's own login is over by the time that a replica is dialled. */
  #replicaAt(
    backend: Destination["toBackend"]["current"],
    response: ClientResponse,
    auth: ServerAuth,
    { ready, failed }: ServerEvents,
  ): ServerConn {
    const deadline = this.#options.makeDeadline(() => server.giveUp());
    const server = this.#serverAt(backend, response, auth, {
      ready: () => {
        deadline.clear();
        ready();
      },
      failed: (error) => {
        deadline.clear();
        failed(error);
      },
    });
    deadline.set(this.#options.settings.loginTimeout);
    return server;
  }

  #welcome(
    server: ServerConn,
    user: ConfiguredUser,
    response: ClientResponse,
    destination: Destination,
    makeAuth: () => ServerAuth,
  ): void {
    const { settings, access, killTargets, count, now } = this.#options;
    count("login");
    this.#conn.servedBy(server.node);
    const { toReplicas } = destination;
    this.#commands = new CommandPhase({
      pipe: this.#pipe,
      server,
      agreed: response.capabilities,
      settings,
      replica:
        toReplicas === undefined || user.password === ""
          ? undefined
          : (events) => this.#replicaAt(toReplicas.current, response, makeAuth(), events),
      mayUse: (database) => {
        const to = access.destinationOf(user.name, database);
        return access.mayUse(user, database) && to.toBackend === destination.toBackend;
      },
      findTarget: (id, found) => killTargets.find(id, found),
      count,
      now,
      close: (reason) => {
        this.#conn.endsBecauseOf(reason);
        this.#end();
      },
    });
    this.#phase = "commands";
    this.#relayed = undefined;
    this.#deadline.set(settings.idleTimeout);
    this.#pipe.write(okPacket(this.#sequence), false);
  }

  #refuseLogin(): void {
    this.#options.count("loginRefused");
    const { user = "" } = this.#response ?? {};
    this.#fail("accessDenied", `Access denied for user '${user}'@'${this.#conn.srcHost}'`, "refused");
  }

  #denyDatabase(user: ConfiguredUser, database: string): void {
    this.#options.count("loginRefused");
    this.#fail("databaseDenied", `Access denied for user '${user.name}' to database '${database}'`, "refused");
  }

  #send(payload: Buffer): void {
    if (this.#phase !== "over" && !this.#pipe.isDestroyed) this.#pipe.write(packet(this.#sequence++, payload), false);
  }

  #tooLate(): void {
    if (this.#commands?.isBusy === true) return this.#deadline.set(this.#options.settings.idleTimeout);
    if (this.#phase === "commands") this.#fail("idle", "the session was idle for too long", "idleTimeout");
    else this.#fail("timeout", "the login took too long", "idleTimeout");
  }

  #fail(name: ErrorName, text: string, reason: ConnEndReason): void {
    this.#failWith(errorPayload(name, text), reason);
  }

  #failWith(error: Buffer, reason: ConnEndReason): void {
    if (this.#phase === "over") return;
    if (this.#commands === undefined) this.#send(error);
    else this.#commands.sendError(error);
    this.#conn.endsBecauseOf(reason);
    this.#end();
  }

  #end(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#reader.stop();
    this.#close();
    // Whoever does not read, or does not close, is not waited for.
    this.#deadline.set(lingerTime);
    if (!this.#pipe.isDestroyed) this.#pipe.end();
    this.#pipe.hold(false);
  }

  #close(): void {
    this.#commands?.end();
    if (this.#commands === undefined) this.#server?.close();
  }
}

/** Not a prop: a message before the login is complete. */
const maxLoginMessage = 65_536;
/** In milliseconds. Not a prop: how long a client may take to close its side. */
const lingerTime = 5000;
const accessDenied = 1045;
