// One client: its requests go to nodes, over connections that it shares with others or has for itself.
//
//  request ──> refused, or not allowed ──> an error
//        ├──> about the connection ──────> answered here
//        ├──> shared ────────────────────> node of its keys ── MOVED, ASK ──> that node
//        └──> has to have a connection ──> when everything before is answered: PinnedConn

import type { LinkUser, TcpsConn } from "@hemi/internal";
import type { Deadline } from "@hemi/common";
import { commandOf, isNeverPassedOn, keysOf, needOf, type Command } from "../commands.ts";
import { errorReply, ok } from "../replies.ts";
import { RequestReader, type Request } from "../resp/requests.ts";
import { RespError } from "../resp/value-scanner.ts";
import type { Routes } from "../routes.ts";
import { localReply, type ClientState, type LocalSettings } from "./local-commands.ts";
import { PinnedConn } from "./pinned-conn.ts";
import { RepliesInOrder } from "./replies-in-order.ts";
import { SharedRequest, type RequestOwner } from "./shared-request.ts";

export interface ClientOptions {
  readonly id: number;
  readonly routes: Routes;
  /** Read at each use, because live props change them. */
  readonly settings: { readonly idleTimeout: number; readonly maxRequestSize: number; readonly maxUnread: number };
  readonly local: LocalSettings;
  readonly refused: ReadonlySet<string>;
  readonly more: ReadonlySet<string>;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  readonly count: (event: ClientEvent) => void;
}

export type ClientEvent = "command" | "refused" | "failed" | "redirected" | "pinned";

export class RedisClient implements LinkUser {
  /** Among the clients of its proxy. */
  place = -1;
  readonly #conn: TcpsConn;
  readonly #options: ClientOptions;
  readonly #state: ClientState;
  readonly #reader: RequestReader;
  readonly #replies: RepliesInOrder;
  readonly #owner: RequestOwner;
  readonly #idle: Deadline;
  #pinned: PinnedConn | undefined;
  /** Requests that wait until everything before them is answered. */
  #waiting: Buffer[] = [];
  #isWaiting = false;
  /** Nothing more is taken: it has said QUIT, or something that is no request. */
  #isDeaf = false;
  #isLeaving = false;
  #hasEnded = false;
  #commands = 0;
  #errors = 0;

  constructor(conn: TcpsConn, options: ClientOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#state = { id: options.id, protocol: 2, database: 0, name: "", user: undefined };
    this.#reader = new RequestReader(
      () => (this.#isLoggedIn ? options.settings.maxRequestSize : maxBeforeLogin),
      (request) => this.#took(request),
    );
    this.#replies = new RepliesInOrder(
      (bytes) => this.#write(bytes),
      () => this.#emptied(),
    );
    this.#owner = {
      replies: this.#replies,
      choice: this.#state,
      redirected: () => options.count("redirected"),
      failed: () => {
        this.#errors++;
        options.count("failed");
      },
    };
    this.#idle = options.makeDeadline(() => conn.close("idleTimeout"));
  }

  begin(): void {
    this.#moved();
    this.#conn.begin(this);
  }

  /** It holds from now on, and not from the next request. */
  idleTimeoutChanged(): void {
    if (this.#idle.isSet) this.#moved();
  }

  received(bytes: Buffer, isShared: boolean): void {
    this.#moved();
    try {
      this.#reader.add(bytes, isShared);
    } catch (error) {
      if (!(error instanceof RespError)) throw error;
      this.#replies.put(errorReply(`ERR Protocol error: ${error.message}`));
      this.#isDeaf = true;
      this.#leave();
    }
    this.#holdOrNot();
  }

  ended(): void {
    this.#leave();
  }

  drained(): void {
    this.#pinned?.hold(false);
    this.#holdOrNot();
  }

  closed(): void {
    this.#idle.clear();
    this.#pinned?.close();
    this.#waiting = [];
    const { user } = this.#state;
    this.#conn.note({ commands: this.#commands, errors: this.#errors, ...(user && { user: user.name }) });
  }

  #took(request: Request): void {
    if (this.#isDeaf) return;
    if (this.#isWaiting) return void this.#waiting.push(Buffer.from(request.raw));
    this.#commands++;
    this.#options.count("command");
    const name = request.word(0);
    const command = commandOf(name) ?? (this.#options.more.has(name) ? unknownKeyed : undefined);
    const refusal = this.#whyNot(request, name, command);
    if (refusal !== undefined || command === undefined) {
      this.#errors++;
      this.#options.count("refused");
      return this.#replies.put(errorReply(refusal ?? ""));
    }
    if (this.#pinned !== undefined && command.need !== "local")
      return this.#takePinned(this.#pinned, request, name, command);
    if (command.need === "local") return this.#takeLocal(request, name);
    const need = needOf(command, request, name);
    if (need === "shared") return this.#takeShared(request, name, command);
    if (this.#replies.pending > 0) {
      this.#isWaiting = true;
      this.#commands--;
      this.#waiting.push(Buffer.from(request.raw));
      return;
    }
    this.#options.count("pinned");
    this.#pinned = this.#pin();
    this.#takePinned(this.#pinned, request, name, command);
  }

  get #isLoggedIn(): boolean {
    return this.#options.local.users.size === 0 || this.#state.user !== undefined;
  }

  #whyNot(request: Request, name: string, command: Command | undefined): string | undefined {
    const { refused } = this.#options;
    if (!this.#isLoggedIn && !beforeLogin.has(name)) return "NOAUTH Authentication required.";
    if (command === undefined) return `ERR unknown command '${name.slice(0, 64)}'`;
    if (refused.has(name) || isNeverPassedOn(command, request, name))
      return `NOPERM the proxy does not pass on '${name.toLowerCase()}'`;
    return this.#state.user?.whyNot(name, command, keysOf(command, request, name));
  }

  #takeLocal(request: Request, name: string): void {
    if (this.#pinned?.isSubscribed === true && name === "PING") return this.#pinned.take(request, name, false);
    if (name === "QUIT") {
      this.#replies.put(ok);
      this.#isDeaf = true;
      return this.#leave();
    }
    if (name === "RESET") {
      this.#pinned?.close();
      this.#pinned = undefined;
      Object.assign(this.#state, { protocol: 2, database: 0, name: "", user: undefined });
      return this.#replies.put(Buffer.from("+RESET\r\n"));
    }
    if (this.#pinned !== undefined && (name === "SELECT" || name === "HELLO")) {
      return this.#replies.put(errorReply(`ERR ${name} is not allowed in this context`));
    }
    this.#replies.put(localReply(request, name, this.#state, this.#options.local));
  }

  #takeShared(request: Request, name: string, command: Command): void {
    const keys = keysOf(command, request, name);
    const target = this.#options.routes.targetOf(name, command, keys);
    if (typeof target === "string") return this.#replies.put(errorReply(target));
    const kept = target.isCluster
      ? { bytes: Buffer.from(request.raw), scriptKey: scripts.has(name) ? keys[0] && Buffer.from(keys[0]) : undefined }
      : undefined;
    const { raw } = request;
    const shared = new SharedRequest(this.#owner, target, raw.length, kept);
    this.#replies.reserve(shared);
    shared.send(raw);
  }

  #takePinned(pinned: PinnedConn, request: Request, name: string, command: Command): void {
    pinned.take(request, name, command.need === "subscribing");
  }

  #pin(): PinnedConn {
    const pinned: PinnedConn = new PinnedConn({
      replies: this.#replies,
      dial: (request, name) => {
        const command = commandOf(name) ?? unknownKeyed;
        const target = this.#options.routes.targetOf(name, command, keysOf(command, request, name));
        const chosen = typeof target === "string" ? this.#options.routes.anyTarget : target;
        return chosen.ownConn(this.#state, {
          pushed: (message) => this.#replies.put(message),
          drained: () => this.#holdOrNot(),
          closed: () => pinned.broke(),
        });
      },
      released: () => {
        if (this.#pinned === pinned) this.#pinned = undefined;
      },
      lost: () => {
        this.#options.count("failed");
        this.#pinned = undefined;
        this.#isDeaf = true;
        this.#leave();
      },
    });
    return pinned;
  }

  #emptied(): void {
    if (this.#isLeaving && this.#waiting.length === 0) return this.#end();
    this.#idle.set(this.#options.settings.idleTimeout);
    if (!this.#isWaiting) return this.#holdOrNot();
    this.#isWaiting = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    // The bytes are whole requests, which were read without an error before.
    const again = new RequestReader(
      () => this.#options.settings.maxRequestSize,
      (request) => this.#took(request),
    );
    for (const bytes of waiting) again.add(bytes, false);
    if (this.#isLeaving && this.#replies.pending === 0) return this.#end();
    this.#holdOrNot();
  }

  #write(bytes: Buffer): void {
    const { link } = this.#conn;
    if (link.isDestroyed || this.#hasEnded) return;
    if (link.write(bytes, false)) return;
    this.#pinned?.hold(true);
    if (link.unsent > this.#options.settings.maxUnread) this.#conn.close("refused");
  }

  /** A client that is slow, or far ahead of the nodes, is not read. */
  #holdOrNot(): void {
    const { link } = this.#conn;
    if (link.isDestroyed || this.#isLeaving) return;
    const { pending, pendingSize } = this.#replies;
    const isAhead = pending >= maxPending || pendingSize >= maxPendingSize || this.#pinned?.isSlow === true;
    link.hold(this.#isWaiting || isAhead || link.needsDrain);
    if (this.#replies.waitingSize > this.#options.settings.maxUnread) this.#conn.close("refused");
  }

  /** No more requests: ends when everything is answered. As in Redis, a command that blocks ends with its client. */
  #leave(): void {
    this.#isLeaving = true;
    const isBlocked = this.#pinned !== undefined && !this.#pinned.isInTransaction;
    if (this.#replies.pending === 0 || isBlocked) this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#replies.flush();
    this.#hasEnded = true;
    this.#pinned?.close();
    this.#conn.link.end();
  }

  #moved(): void {
    this.#idle.set(this.#options.settings.idleTimeout);
  }
}

/** Commands whose replies are whatever a script says. */
const scripts: ReadonlySet<string> = new Set(["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"]);

const beforeLogin: ReadonlySet<string> = new Set(["AUTH", "HELLO", "QUIT", "RESET"]);

/** In bytes. Not a prop: as in Redis, a stranger gets no memory. */
const maxBeforeLogin = 16 * 1024;

/** A command of a module: its first argument is its key. */
const unknownKeyed: Command = { need: "shared", writes: true, first: 1, last: 1, step: 1, countAt: 0 };

/** Not a prop: a client that sends more at once is read when the first ones are answered. */
const maxPending = 1024;
/** In bytes. Not a prop: the same, by the size of the requests. */
const maxPendingSize = 4 * 1024 * 1024;
