// A connection to a node: requests go out in order, and each reply belongs to the oldest request without one.
//
//  dialling ──> set up: AUTH, HELLO, SELECT ──> open ──> closed
//     │ requests wait, bounded by those who send them

import type { Deadline } from "@hemi/common";
import type { BackendFailure, DialUser, Link, LinkUser, TcpsBackend } from "@hemi/internal";
import { OutputBatch } from "../output-batch.ts";
import { encodeRequest } from "../resp/requests.ts";
import { RespError, ValueScanner } from "../resp/value-scanner.ts";

/** Gets the reply to a request. */
export interface ReplyTaker {
  /** The bytes are valid until it returns. */
  replied(reply: Buffer): void;
  /** There will be no reply. `wasSent`: the node may have done what it was asked. */
  broken(reason: string, wasSent: boolean): void;
}

/** What the node has to be told first. */
export interface ConnSetup {
  readonly user: string;
  readonly password: string;
  readonly protocol: 2 | 3;
  readonly database: number;
}

export interface NodeConnOptions {
  readonly backend: TcpsBackend;
  /** The id of the node; `undefined`: any node. */
  readonly only: string | undefined;
  readonly setup: ConnSetup;
  readonly maxReplySize: () => number;
  /** Default: it may take any time, as for commands that block. */
  readonly replyLimit?: ReplyLimit;
  /** Who learns of messages that nobody has asked for. Default: they are dropped. */
  readonly pushed?: (message: Buffer) => void;
  /** The node takes more, after `isSlow`. Default: nobody asks for that. */
  readonly drained?: () => void;
  readonly closed: (conn: NodeConn) => void;
  readonly log: (failure: string) => void;
}

/** Limits how long a node says nothing while replies are waited for. */
export interface ReplyLimit {
  makeDeadline(onExpired: () => void): Deadline;
  /** In milliseconds. Read at each use, because a live prop changes it. */
  readonly settings: { readonly replyTimeout: number };
}

export class NodeConn implements DialUser, LinkUser {
  readonly #options: NodeConnOptions;
  readonly #scanner: ValueScanner;
  readonly #dialling: { cancel(): void };
  readonly #takers: ReplyTaker[] = [];
  /** The first one of `#takers` that has no reply: they are removed many at a time. */
  #first = 0;
  /** What waits until the connection stands. */
  #unsent: Buffer[] | undefined = [];
  readonly #output = new OutputBatch((bytes) => void this.#link?.write(bytes, false));
  #link: Link | undefined;
  readonly #late: Deadline | undefined;
  /** A reply has come with the last piece. */
  #isAnswered = false;
  /** Every reply is a message, as soon as what was sent before has its replies. */
  #isSubscribed = false;
  isOver = false;
  node = "";

  constructor(options: NodeConnOptions) {
    this.#options = options;
    this.#scanner = new ValueScanner(options.maxReplySize, (bytes, start, end) => this.#replied(bytes, start, end));
    this.#late = options.replyLimit?.makeDeadline(() => {
      options.log(`node ${this.node}: it did not reply in time`);
      this.close("the node did not reply in time");
    });
    this.#setUp(options.setup);
    const nobody = { address: "", port: 0 };
    const about = { serverName: "", nextProto: "", tls: undefined };
    const { only } = options;
    const wish = { key: "", stickTo: "", tried: [], from: nobody, to: nobody, about };
    this.#dialling = options.backend.dial(only === undefined ? wish : { ...wish, only }, this);
  }

  /** The number of requests without a reply. */
  get pending(): number {
    return this.#takers.length - this.#first;
  }

  /** It is not connected to yet, or reads more slowly than it is written to. */
  get isSlow(): boolean {
    return this.#link === undefined || this.#link.needsDrain;
  }

  /** The bytes are copied. */
  send(request: Buffer, taker: ReplyTaker): void {
    // A dial may fail before it returns.
    if (this.isOver) return taker.broken("no node could be reached", false);
    if (!this.#isSubscribed) this.#takers.push(taker);
    if (this.pending === 1) this.#limitReply();
    if (this.#unsent === undefined) this.#output.add(request);
    else this.#unsent.push(Buffer.from(request));
  }

  /** Replies to what is sent from now on are messages: they are passed to `pushed` in order. */
  subscribe(): void {
    this.#isSubscribed = true;
  }

  hold(isHeld: boolean): void {
    this.#link?.hold(isHeld);
  }

  close(reason: string): void {
    this.#end(reason);
    this.#dialling.cancel();
  }

  connected(link: Link, node: string): void {
    this.#link = link;
    this.node = node;
    link.use(this);
    link.hold(false);
    const unsent = this.#unsent ?? [];
    this.#unsent = undefined;
    if (unsent.length > 0) link.write(Buffer.concat(unsent), false);
    if (!this.isSlow) this.drained();
  }

  failed(failure: BackendFailure): void {
    this.#options.log(failure.message);
    this.#end("no node could be reached");
  }

  nodeDown(): void {
    this.close("the node is down");
  }

  received(bytes: Buffer, isShared: boolean): void {
    try {
      this.#scanner.add(bytes, isShared);
    } catch (error) {
      if (!(error instanceof RespError)) throw error;
      this.#options.log(`node ${this.node}: it sent ${error.message}`);
      this.close("the node sent something malformed");
    }
    const { begunWith } = this.#scanner;
    if (this.#isAnswered || (begunWith !== undefined && begunWith !== push)) this.#limitReply();
    this.#isAnswered = false;
  }

  ended(): void {
    this.close("the node closed the connection");
  }

  drained(): void {
    this.#options.drained?.();
  }

  closed(): void {
    this.close("the node closed the connection");
  }

  #replied(bytes: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    const reply = bytes.subarray(start, end);
    if (bytes[start] === push || (this.#isSubscribed && this.pending === 0)) {
      this.#options.pushed?.(reply);
      return;
    }
    this.#isAnswered = true;
    const taker = this.#takers[this.#first++];
    if (taker === undefined) return this.close("the node replied to nothing");
    if (this.#first > 512) {
      this.#takers.splice(0, this.#first);
      this.#first = 0;
    }
    taker.replied(reply);
  }

  /**
   * Anew with each piece of the replies: a node that is slow, but at work, is waited for. Messages that nobody has
   * asked for are no replies.
   */
  #limitReply(): void {
    const { replyLimit } = this.#options;
    if (replyLimit === undefined || this.isOver) return;
    this.#late?.set(this.pending === 0 ? Infinity : replyLimit.settings.replyTimeout);
  }

  #setUp({ user, password, protocol, database }: ConnSetup): void {
    const requests: (readonly string[])[] = [];
    if (protocol === 3)
      requests.push(["HELLO", "3", ...(password === "" ? [] : ["AUTH", user || "default", password])]);
    else if (password !== "") requests.push(["AUTH", ...(user === "" ? [] : [user]), password]);
    if (database > 0) requests.push(["SELECT", String(database)]);
    const taker: ReplyTaker = {
      replied: (reply) => {
        if (reply[0] !== 45) return;
        this.#options.log(`node ${this.node}: it refused ${database > 0 ? "the database or " : ""}the login`);
        this.close("the node refused the login of the proxy");
      },
      broken: () => {},
    };
    for (const request of requests) this.send(encodeRequest(request), taker);
  }

  #end(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#late?.clear();
    const wasSent = this.#unsent === undefined;
    this.#unsent = undefined;
    const left = this.#takers.splice(0).slice(this.#first);
    this.#first = 0;
    for (const taker of left) taker.broken(reason, wasSent);
    this.#options.closed(this);
  }
}

/** The type of such a message in RESP3. */
const push = 62;
