// A connection of a client: queries one behind the other, each answered as soon as its answer is there (RFC 7766).

import type { Deadline, SeatedRoster } from "@hemi/common";
import type { LinkUser, TcpsConn } from "@hemi/internal";
import { framed, FrameReader } from "../message/frames.ts";
import { readQuery, type Query } from "../message/query.ts";
import { headOnly } from "../message/reply.ts";
import type { Reply } from "../resolver/answerer.ts";
import { SessionCounts } from "./session-counts.ts";

/** What it needs. */
export interface QueryStreamOptions {
  /** Read at each use, because live props change it. */
  readonly settings: { readonly maxPending: number; readonly idleTimeout: number };
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  readonly answer: (query: Query) => Reply | Promise<Reply>;
  /** It is one of these as long as it is open. */
  readonly streams: SeatedRoster<QueryStream>;
}

export class QueryStream implements LinkUser {
  /** Among those of its dealet. */
  place = -1;
  readonly #conn: TcpsConn;
  readonly #options: QueryStreamOptions;
  readonly #idle: Deadline;
  readonly #frames = new FrameReader(
    (message) => this.#asked(message),
    () => !this.#isBehind,
  );
  readonly #counts = new SessionCounts();
  #pending = 0;
  #hasEnded = false;
  /** The client reads too slowly. */
  #isFull = false;

  constructor(conn: TcpsConn, options: QueryStreamOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#idle = options.makeDeadline(() => this.#close("idleTimeout"));
  }

  begin(): void {
    this.#options.streams.add(this);
    this.#idle.set(this.#options.settings.idleTimeout);
    this.#conn.begin(this);
  }

  /** It holds from now on, and not from the next query. */
  idleTimeoutChanged(): void {
    this.#idle.set(this.#options.settings.idleTimeout);
  }

  received(bytes: Buffer): void {
    this.#frames.add(bytes);
    this.#holdOrNot();
  }

  ended(): void {
    this.#hasEnded = true;
    this.#endIfDone();
  }

  drained(): void {
    this.#isFull = false;
    this.#goOn();
  }

  closed(): void {
    this.#idle.clear();
    this.#options.streams.delete(this);
    this.#conn.note(this.#counts.notes);
  }

  #asked(message: Buffer): void {
    if (this.#conn.link.isDestroyed) return;
    this.#counts.queries++;
    this.#idle.set(this.#options.settings.idleTimeout);
    const read = readQuery(message);
    // A response, or noise: this is no client of DNS.
    if (read === undefined) return this.#close("refused");
    if ("reply" in read) return this.#send(read.reply);
    if (read.refusal !== undefined) return this.#send(headOnly(read.query, read.refusal));
    const reply = this.#options.answer(read.query);
    if (!(reply instanceof Promise)) return this.#send(reply.message);
    this.#pending++;
    reply
      .then(({ message: answer }) => this.#send(answer))
      .finally(() => {
        this.#pending--;
        this.#goOn();
      })
      .catch(() => this.#close("error"));
  }

  #send(message: Buffer): void {
    const { link } = this.#conn;
    this.#counts.replied(message);
    if (!link.isDestroyed && !link.write(framed(message), false)) this.#isFull = true;
  }

  /** The client does not read, or has asked enough: a few bytes of queries must not become many of replies. */
  get #isBehind(): boolean {
    return this.#isFull || this.#pending >= this.#options.settings.maxPending;
  }

  /** Takes what has come meanwhile. */
  #goOn(): void {
    if (this.#conn.link.isDestroyed) return;
    this.#frames.goOn();
    this.#holdOrNot();
    this.#endIfDone();
  }

  #holdOrNot(): void {
    if (this.#conn.link.isDestroyed) return;
    this.#conn.link.hold(this.#isBehind);
  }

  #endIfDone(): void {
    if (this.#hasEnded && this.#pending === 0 && !this.#isFull) this.#conn.link.end();
  }

  #close(reason: "idleTimeout" | "refused" | "error"): void {
    this.#conn.close(reason);
  }
}
