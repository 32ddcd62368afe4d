// A client: each of its requests goes to a server of the database that it names, over a connection of its own, and the
// replies come back as they come.
//
//  request ──> refused: an error
//         └──> server of its backend, dialled at the first one ──> reply ──> client
//  A server that is lost has lost the login of the client, too: errors for what it owes, and the end.

import type { Deadline } from "@hemi/common";
import type { ConnEndReason, LinkUser, TcpsBackend, TcpsConn } from "@hemi/internal";
import { type Access, needsLogin } from "./access.ts";
import { MessageReader, ProtocolError, readHead } from "./protocol/messages.ts";
import { errorReply, hasSucceeded, helloReply, helloRequest, isHello, type ErrorName } from "./protocol/replies.ts";
import { messageFlags, readRequest, type Request } from "./protocol/requests.ts";
import { ServerConn } from "./server-conn.ts";
import type { Transactions } from "./transactions.ts";

export interface SessionOptions {
  /** Read at each use, because live props change them. */
  readonly settings: { readonly idleTimeout: number; readonly maxMessageSize: number };
  readonly access: Access;
  /** Those of the client, which may have other connections. */
  readonly transactions: Transactions;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  readonly count: (event: SessionEvent) => void;
  readonly log: (failure: string) => void;
}

export type SessionEvent = "command" | "refused" | "serverLost";

/** A request without a reply. */
interface Owed {
  readonly request: Pick<Request, "requestId" | "operation">;
  readonly server: ServerConn;
  readonly isHello: boolean;
  /** A server that wants logins does it for clients that have logged in only. */
  readonly isWork: boolean;
}

export class ClientSession implements LinkUser {
  /** Among the sessions of its proxy. */
  place = -1;
  readonly #conn: TcpsConn;
  readonly #options: SessionOptions;
  readonly #idle: Deadline;
  readonly #reader: MessageReader;
  readonly #servers = new Map<TcpsBackend, ServerConn>();
  /** By the ids of the requests. */
  readonly #owed = new Map<number, Owed>();
  #isOver = false;
  /** A server has worked for it: it has logged in, if it has to. */
  #isKnown = false;
  #commands = 0;
  #refused = 0;

  constructor(conn: TcpsConn, options: SessionOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#idle = options.makeDeadline(() => this.#tooLate());
    this.#reader = new MessageReader(
      () => options.settings.maxMessageSize,
      (message) => this.#took(message),
    );
  }

  begin(): void {
    this.#idle.set(this.#options.settings.idleTimeout);
    this.#conn.begin(this);
  }

  /** It holds from now on, and not from the next message. */
  idleTimeoutChanged(): void {
    if (!this.#isOver) this.#idle.set(this.#options.settings.idleTimeout);
  }

  received(bytes: Buffer, isShared: boolean): void {
    if (this.#isOver) return;
    this.#idle.set(this.#options.settings.idleTimeout);
    try {
      this.#reader.add(bytes, isShared);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Whose request it is cannot be known: clients take the id 0 for none of theirs, and see the end.
      this.#refuse({ requestId: 0, operation: 2013 }, "failedToParse", `the proxy was sent ${error.message}`);
      this.#end("refused");
    }
    this.#holdOrNot();
  }

  ended(): void {
    this.#end("complete");
  }

  drained(): void {
    for (const server of this.#servers.values()) server.hold(false);
    this.#holdOrNot();
  }

  closed(): void {
    this.#end("complete");
    this.#idle.clear();
    this.#conn.note({ commands: this.#commands, refused: this.#refused });
  }

  #took(message: Buffer): void {
    if (this.#isOver) return;
    const { maxMessageSize } = this.#options.settings;
    const request = readRequest(message, this.#isKnown ? maxMessageSize : Math.min(maxInflated, maxMessageSize));
    this.#commands++;
    this.#options.count("command");
    const target = this.#options.access.targetOf(request, this.#options.transactions);
    if (typeof target === "string") return this.#refuse(request, "unauthorized", target);
    if (request.operation !== 2013 && !isHello(request.command)) {
      return this.#refuse(request, "illegalOperation", "OP_QUERY is for the first message of a connection only");
    }
    const server = this.#servers.get(target) ?? this.#dial(target);
    if ((request.flags & messageFlags.moreToCome) === 0) this.#owe(request, server);
    server.write(isHello(request.command) ? helloRequest(request) : message);
  }

  #owe(request: Request, server: ServerConn): void {
    if (this.#owed.has(request.requestId)) throw new ProtocolError("the id of a request that has no reply yet");
    const { requestId, operation, command } = request;
    const isWork = needsLogin(command);
    this.#owed.set(requestId, { request: { requestId, operation }, server, isHello: isHello(command), isWork });
  }

  #dial(backend: TcpsBackend): ServerConn {
    const { source, destination, srcHost } = this.#conn;
    const server: ServerConn = new ServerConn({
      backend,
      wish: { key: srcHost, stickTo: "", tried: [], from: source, to: destination, about: this.#conn },
      maxMessageSize: () => this.#options.settings.maxMessageSize,
      connected: (node) => this.#conn.servedBy(node),
      message: (message) => this.#replied(server, message),
      drained: () => this.#holdOrNot(),
      lost: (reason) => this.#serverLost(server, reason),
      log: this.#options.log,
    });
    this.#servers.set(backend, server);
    server.dial();
    return server;
  }

  #replied(server: ServerConn, message: Buffer): void {
    const { responseTo } = readHead(message);
    const owed = this.#owed.get(responseTo);
    if (owed?.server === server) this.#owed.delete(responseTo);
    const { idleTimeout, maxMessageSize } = this.#options.settings;
    this.#idle.set(idleTimeout);
    if (!this.#isKnown && owed?.isWork === true) this.#isKnown = hasSucceeded(message, maxMessageSize);
    this.#write(owed?.isHello === true ? helloReply(message) : message);
    if (this.#owed.size === maxOwed - 1) this.#holdOrNot();
  }

  #serverLost(server: ServerConn, reason: string): void {
    this.#options.count("serverLost");
    const left = [...this.#owed.values()].filter((owed) => owed.server === server);
    for (const { request } of left) this.#write(errorReply(request, "hostUnreachable", reason));
    this.#end(left.length > 0 ? "noNode" : "nodeAborted");
  }

  #refuse(
    request: Pick<Request, "requestId" | "operation" | "flags"> | Owed["request"],
    name: ErrorName,
    text: string,
  ) {
    this.#refused++;
    this.#options.count("refused");
    const wantsReply = !("flags" in request) || (request.flags & messageFlags.moreToCome) === 0;
    if (wantsReply) this.#write(errorReply(request, name, text));
  }

  #write(message: Buffer): void {
    const { link } = this.#conn;
    if (link.isDestroyed || link.write(message, false)) return;
    for (const server of this.#servers.values()) server.hold(true);
  }

  /** A client that is ahead of its servers is not read. */
  #holdOrNot(): void {
    const { link } = this.#conn;
    if (link.isDestroyed || this.#isOver) return;
    const isAhead = this.#owed.size >= maxOwed || [...this.#servers.values()].some(({ isSlow }) => isSlow);
    link.hold(isAhead || link.needsDrain);
  }

  #tooLate(): void {
    if (this.#isOver) return this.#conn.close("clientAborted");
    this.#end("idleTimeout");
  }

  #end(reason: ConnEndReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.stop();
    for (const server of this.#servers.values()) server.close();
    this.#conn.endsBecauseOf(reason);
    // Whoever does not read, or does not close, is not waited for.
    this.#idle.set(lingerTime);
    if (this.#conn.link.isDestroyed) return;
    this.#conn.link.end();
    this.#conn.link.hold(false);
  }
}

/** Not a prop: a client that asks more at once is read when the first requests are answered. */
const maxOwed = 1000;
/**
 * In bytes. Not a prop: as long as no server has worked for a client, it may be a stranger that sends a little which
 * becomes a lot.
 */
const maxInflated = 1024 * 1024;
/** In milliseconds. Not a prop: how long a client may take to close its side. */
const lingerTime = 5000;
