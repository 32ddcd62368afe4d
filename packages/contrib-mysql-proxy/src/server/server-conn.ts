// A connection to a server, for one client: dialled, secured, logged in, then used.
//
//  dialling ──> greeting ──> TLS ──> login ──> ready
//     ^  └── no connection, or too many for this server: another node

import {
  type BackendFailure,
  type DialUser,
  type DialWish,
  type Link,
  type LinkUser,
  secured,
  type ServerTls,
  type TcpsBackend,
} from "@hemi/internal";
import { capabilities, formative } from "../protocol/capabilities.ts";
import { errorMark, errorPayload, errors, readError, type ErrorName } from "../protocol/errors.ts";
import {
  type ClientResponse,
  type Greeting,
  readGreeting,
  responsePacket,
  tlsRequestPacket,
} from "../protocol/handshake.ts";
import { headSize, MessageReader, packet, ProtocolError, sequenceAfter } from "../protocol/packets.ts";
import type { ServerAuth } from "./server-auth.ts";

/** Has a connection that is ready. */
export interface ServerUser {
  received(bytes: Buffer, isShared: boolean): void;
  /** What was written has been passed on, after a `write` that returned false. */
  drained(): void;
  lost(): void;
}

export interface ServerConnOptions {
  readonly backend: TcpsBackend;
  readonly wish: DialWish;
  /** As the client has responded to the proxy. */
  readonly response: ClientResponse;
  readonly auth: ServerAuth;
  readonly tls: ServerTls;
  /** It can be used now. */
  readonly ready: () => void;
  /** It cannot be used. `error`: the payload for the client. */
  readonly failed: (error: Buffer) => void;
  readonly log: (failure: string) => void;
}

export class ServerConn implements DialUser, LinkUser {
  readonly #options: ServerConnOptions;
  readonly #tried: string[] = [];
  #reader = this.#newReader();
  #dialling: { cancel(): void } | undefined;
  #link: Link | undefined;
  #phase: "dialling" | "greeting" | "securing" | "login" | "ready" = "dialling";
  #isSecure = false;
  #response: ClientResponse;
  #user: ServerUser | undefined;
  #isOver = false;
  node = "";
  /** By which the server knows the session. */
  threadId = 0;

  constructor(options: ServerConnOptions) {
    this.#options = options;
    this.#response = options.response;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  dial(): void {
    const { backend, wish } = this.#options;
    this.#phase = "dialling";
    this.#dialling = backend.dial({ ...wish, tried: this.#tried }, this);
  }

  use(user: ServerUser): void {
    this.#user = user;
  }

  /** Returns false if the server reads too slowly. */
  write(bytes: Buffer, isShared: boolean): boolean {
    return this.#link?.write(bytes, isShared) ?? true;
  }

  hold(isHeld: boolean): void {
    this.#link?.hold(isHeld);
  }

  /** Ends the session as clients do. */
  quit(): void {
    if (this.#isOver) return;
    const link = this.#phase === "ready" ? this.#link : undefined;
    if (link === undefined) return this.close();
    this.#isOver = true;
    this.#user = undefined;
    link.write(packet(0, Buffer.of(quitCommand)), false);
    link.end();
    // A server that does not close is not waited for.
    if (link.socket.writableFinished) link.destroy();
    else link.socket.once("finish", () => link.destroy());
  }

  close(): void {
    this.#isOver = true;
    this.#user = undefined;
    this.#dialling?.cancel();
    this.#link?.destroy();
  }

  /** It was not ready in time. */
  giveUp(): void {
    this.#fail("timeout", "the server did not let the proxy in in time");
  }

  // ---- of the backend ----

  connected(link: Link, node: string): void {
    this.#link = link;
    this.node = node;
    this.#phase = "greeting";
    link.use(this);
    link.hold(false);
  }

  failed(failure: BackendFailure): void {
    this.#options.log(failure.message);
    if (!this.#mayRetry(failure.node)) this.#fail("cannotConnect", "no server can be reached");
  }

  nodeDown(): void {
    this.#lost();
  }

  // ---- of the connection ----

  received(bytes: Buffer, isShared: boolean): void {
    if (this.#isOver) return;
    try {
      if (this.#phase === "ready") this.#user?.received(bytes, isShared);
      else this.#reader.add(bytes);
      // Somebody on the way could have put it there, and it would be taken for the beginning of what TLS brings.
      if (this.#phase === "securing" && !this.#reader.isEmpty)
        throw new ProtocolError("more than a greeting before TLS");
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#options.log(`node ${this.node}: it sent ${error.message}`);
      if (this.#phase === "ready") this.#lost();
      else this.#fail("cannotConnect", "the server sent something malformed");
    }
  }

  ended(): void {
    this.#lost();
  }

  drained(): void {
    this.#user?.drained();
  }

  closed(): void {
    this.#lost();
  }

  #newReader(): MessageReader {
    return new MessageReader(
      () => maxLoginMessage,
      (bytes, start, end) => this.#message(bytes, start, end),
    );
  }

  #message(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    const payload = bytes.subarray(start + headSize, end);
    const sequence = sequenceAfter(bytes, start, end);
    if (this.#phase === "greeting") this.#greeted(payload, sequence);
    else if (this.#phase === "login") this.#loginMessage(payload, sequence);
    else throw new ProtocolError("a message out of turn");
  }

  #greeted(payload: Buffer, sequence: number): void {
    const { tls } = this.#options;
    if (payload[0] === errorMark) return this.#refused(payload);
    const greeting = readGreeting(payload);
    this.threadId = greeting.threadId;
    this.#response = this.#responseTo(greeting);
    const missing = this.#options.response.capabilities & formative & ~greeting.capabilities;
    if (missing !== 0) return this.#fail("cannotConnect", `the server is too old: it lacks ${missing.toString(16)}`);
    if (tls.mode === "off") return this.#respond(sequence);
    if ((greeting.capabilities & capabilities.tls) === 0 || this.#link === undefined) {
      return this.#fail("cannotConnect", "the server has no TLS");
    }
    this.#phase = "securing";
    this.#link.write(tlsRequestPacket(sequence, this.#response), false);
    this.#link = secured(this.#link, tls, this.node, this, () => {
      this.#isSecure = true;
      this.#respond(sequence + 1);
    });
    this.#link.socket.once("error", (error: Error) => this.#options.log(`node ${this.node}: ${error.message}`));
  }

  /** What the server does not know cannot be asked of it. No method is named, so that it names that of the user. */
  #responseTo({ capabilities: known }: Greeting): ClientResponse {
    const { response } = this.#options;
    const flags = response.capabilities & known & ~capabilities.tls;
    const attributes = (flags & capabilities.connectAttributes) === 0 ? Buffer.alloc(0) : response.attributes;
    return { ...response, capabilities: flags, proof: Buffer.alloc(0), plugin: noPlugin, attributes };
  }

  #respond(sequence: number): void {
    this.#phase = "login";
    this.write(responsePacket(sequence, this.#response), false);
  }

  #loginMessage(payload: Buffer, sequence: number): void {
    const mark = payload[0];
    if (mark === errorMark) return this.#refused(payload);
    if (mark === 0) {
      this.#phase = "ready";
      return this.#options.ready();
    }
    // A request of two kinds; the answer may come from the client, later.
    const failure = this.#options.auth.asked(Buffer.from(payload), this.#isSecure, (answer) => {
      if (!this.#isOver) this.write(packet(sequence, answer), false);
    });
    if (failure === undefined) return;
    this.#options.log(`node ${this.node}: ${failure}`);
    this.#fail("accessDenied", "the server and the client have no common way to log in");
  }

  /** An error of the server. One that has too many connections, or shuts down, is not the only one. */
  #refused(payload: Buffer): void {
    const { code, text } = readError(payload);
    this.#options.log(`node ${this.node}: it refused the login of ${this.#response.user}: ${code} ${text}`);
    const isBusy = busyCodes.has(code) && this.#phase === "greeting";
    const { node } = this;
    if (isBusy && this.#mayRetry(node)) return;
    this.#failWith(Buffer.from(payload));
  }

  /** Dials another node, if there is one to be tried. */
  #mayRetry(node: string): boolean {
    if (node !== "") this.#tried.push(node);
    if (this.#isOver || node === "" || this.#options.backend.whyNoRetry(this.#tried) !== undefined) return false;
    const link = this.#link;
    this.#link = undefined;
    this.#reader.stop();
    this.#reader = this.#newReader();
    link?.use(nobody);
    link?.destroy();
    this.dial();
    return true;
  }

  #lost(): void {
    if (this.#isOver) return;
    if (this.#phase !== "ready") return this.#fail("cannotConnect", "the server closed the connection");
    const user = this.#user;
    this.close();
    user?.lost();
  }

  #fail(name: ErrorName, text: string): void {
    this.#failWith(errorPayload(name, text));
  }

  #failWith(error: Buffer): void {
    if (this.#isOver) return;
    this.close();
    this.#options.failed(error);
  }
}

/** Of a connection that is given up. */
const nobody: LinkUser = { received: () => {}, ended: () => {}, drained: () => {}, closed: () => {} };

/** No server has a method of this name: it answers with the name of the one that the user has. */
const noPlugin = "hemi_none";

/** Too many connections, shutting down, blocked because of other errors. */
const busyCodes: ReadonlySet<number> = new Set([1040, 1053, 1129, errors.serverLost[0]]);

const quitCommand = 1;
/** Not a prop: a message of a login. */
const maxLoginMessage = 65_536;
