// A client that has a connection to a node for itself: for a transaction, a command that blocks, or a subscription.
//
//  MULTI ──> the first command with a key says which node ──> EXEC, and its reply ──> the client shares again
//  WATCH ──────────────────────────────────────────────┘
//  BLPOP ──> its reply ──> the client shares again
//  SUBSCRIBE ──> until the client leaves

import type { NodeConn, ReplyTaker } from "../node/node-conn.ts";
import { encodeRequest, type Request } from "../resp/requests.ts";
import { errorReply, ok } from "../replies.ts";
import type { RepliesInOrder } from "./replies-in-order.ts";

export interface PinnedConnOptions {
  readonly replies: RepliesInOrder;
  /** Makes a connection to the node that has the keys of this request. */
  readonly dial: (request: Request, name: string) => NodeConn;
  /** The client may share connections again. */
  readonly released: () => void;
  /** The connection broke while the client depended on it: the client has to go. */
  readonly lost: () => void;
}

export class PinnedConn {
  readonly #options: PinnedConnOptions;
  #conn: NodeConn | undefined;
  /** `begun`: MULTI came, and the node does not know of it yet. */
  #transaction: "none" | "begun" | "open" = "none";
  #isWatching = false;
  #isSubscribed = false;
  /** Requests without a reply. */
  #pending = 0;

  constructor(options: PinnedConnOptions) {
    this.#options = options;
  }

  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  get isInTransaction(): boolean {
    return this.#transaction !== "none";
  }

  /** What the client sends goes to the node without replies, which would tell that the node is slow. */
  get isSlow(): boolean {
    return this.#isSubscribed && this.#conn?.isSlow === true;
  }

  /** Takes a request of the client. */
  take(request: Request, name: string, isSubscribing: boolean): void {
    const { replies } = this.#options;
    if (
      this.#transaction === "none" &&
      !this.#isWatching &&
      (name === "EXEC" || name === "DISCARD" || name === "UNWATCH")
    ) {
      replies.put(name === "UNWATCH" ? ok : errorReply(`ERR ${name} without MULTI`));
      return this.#releaseIfDone();
    }
    if (name === "MULTI" && this.#transaction === "none") {
      this.#transaction = "begun";
      return replies.put(ok);
    }
    if (this.#transaction === "begun" && (name === "EXEC" || name === "DISCARD") && !this.#isWatching) {
      this.#transaction = "none";
      replies.put(name === "EXEC" ? Buffer.from("*0\r\n") : ok);
      return this.#releaseIfDone();
    }
    if (isSubscribing && this.#transaction !== "none") {
      return replies.put(errorReply(`ERR ${name} inside a transaction is not for clients of a proxy`));
    }
    const conn = (this.#conn ??= this.#options.dial(request, name));
    if (conn.isOver) {
      replies.put(errorReply("ERR hemi: no node could be reached"));
      return this.#options.lost();
    }
    if (this.#transaction === "begun" && name !== "WATCH") {
      this.#transaction = "open";
      conn.send(encodeRequest(["MULTI"]), noReply);
    }
    if (isSubscribing) {
      this.#isSubscribed = true;
      conn.subscribe();
    }
    this.#send(conn, request, name);
  }

  /** Stops or continues reading messages, at the pace of the client. */
  hold(isHeld: boolean): void {
    if (this.#isSubscribed) this.#conn?.hold(isHeld);
  }

  close(): void {
    const conn = this.#conn;
    this.#conn = undefined;
    conn?.close("the client has left");
  }

  /** The connection is closed. */
  broke(): void {
    if (this.#conn === undefined) return;
    this.#conn = undefined;
    this.#options.lost();
  }

  #send(conn: NodeConn, request: Request, name: string): void {
    if (this.#isSubscribed) return conn.send(request.raw, noReply);
    const { replies } = this.#options;
    const slot = { size: request.end - request.start, reply: undefined };
    replies.reserve(slot);
    this.#pending++;
    conn.send(request.raw, {
      replied: (reply) => {
        this.#pending--;
        if (name === "WATCH" && reply[0] !== 45) this.#isWatching = true;
        if (name === "EXEC" || name === "DISCARD") this.#transaction = "none";
        if (name === "EXEC" || name === "DISCARD" || name === "UNWATCH") this.#isWatching = false;
        replies.fill(slot, reply);
        this.#releaseIfDone();
      },
      broken: (reason) => replies.fill(slot, errorReply(`ERR hemi: ${reason}`)),
    });
  }

  #releaseIfDone(): void {
    if (this.#pending > 0 || this.#transaction !== "none" || this.#isWatching || this.#isSubscribed) return;
    this.close();
    this.#options.released();
  }
}

const noReply: ReplyTaker = { replied: () => {}, broken: () => {} };
