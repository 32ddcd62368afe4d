// Joins a client's connection and a node's: what one sends, the other gets.
//
//  bytes ──> the other side, at its pace: a slow reader holds its writer
//  end ────> the other side is shut at the end of the turn; the other direction goes on (half-close)
//  close ──> the other side is reset, unless both directions are complete

import type { Deadline, SeatedRoster } from "@hemi/common";
import { flushAtEndOfTurn, type Due } from "../../net/end-of-turn.ts";
import type { Link, LinkUser } from "../../net/link.ts";
import type { TcpsConn } from "./dealet.ts";
import type { ConnEndReason } from "../end-reason.ts";
import type { Mirror } from "./mirror.ts";

/** The proxy of splices. */
export interface SplicingProxy {
  /** In milliseconds. Read at each use, because live props change it. `maxDuration` 0: unlimited. */
  readonly settings: { readonly idleTimeout: number; readonly maxDuration: number };
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Those that have an open side. */
  readonly splices: SeatedRoster<Splice>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

export interface SpliceOptions {
  readonly proxy: SplicingProxy;
  readonly conn: TcpsConn;
  readonly node: Link;
  /** Gets a copy of what the client sends. */
  readonly mirror: Mirror | undefined;
}

export class Splice {
  /** Among those of its proxy. */
  place = -1;
  readonly #proxy: SplicingProxy;
  readonly #conn: TcpsConn;
  readonly #node: Link;
  readonly #idle: Deadline;
  readonly #beganAt: number;
  #longest: Deadline | undefined;
  /** Since the last look for idleness. */
  #hasMoved = true;
  /** How long nothing had moved at the last look, at least. In milliseconds. */
  #quiet = 0;
  /** From the last look to the next one. In milliseconds. */
  #pause = 0;

  /** Starts at once. The node's link is held. */
  constructor({ proxy, conn, node, mirror }: SpliceOptions) {
    this.#proxy = proxy;
    this.#conn = conn;
    this.#node = node;
    this.#idle = proxy.makeDeadline(() => this.#look());
    this.#beganAt = proxy.now();
    this.maxDurationChanged();
    proxy.splices.add(this);
    this.#look();
    node.use(new Side(this, node, conn.link, "nodeAborted"));
    node.hold(false);
    const side =
      mirror === undefined
        ? new Side(this, conn.link, node, "clientAborted")
        : new MirroredSide(this, conn.link, node, mirror);
    conn.begin(side);
    if (node.isDestroyed) this.sideClosed(node, conn.link, "nodeAborted");
  }

  breakOff(reason: ConnEndReason): void {
    this.#conn.endsBecauseOf(reason);
    this.#node.reset();
    this.#conn.link.reset();
  }

  /** Something has moved. It takes no look at a clock: that would be 2 % of the cost of a small request. */
  moved(): void {
    this.#hasMoved = true;
  }

  /** It holds from now on, and not from the next look: that may be as far away as the former timeout. */
  idleTimeoutChanged(): void {
    // How long the last look was ago is not known.
    this.#pause = 0;
    this.#look();
  }

  /** It counts from the beginning. */
  maxDurationChanged(): void {
    const { settings, makeDeadline, now } = this.#proxy;
    if (settings.maxDuration === 0) return this.#longest?.clear();
    this.#longest ??= makeDeadline(() => this.breakOff("maxDuration"));
    this.#longest.set(this.#beganAt + settings.maxDuration - now());
  }

  /** Breaks off after the idle timeout, or a part of it later; never earlier. */
  #look(): void {
    const { idleTimeout } = this.#proxy.settings;
    this.#quiet = this.#hasMoved ? 0 : this.#quiet + this.#pause;
    this.#hasMoved = false;
    if (this.#quiet >= idleTimeout) return this.breakOff("idleTimeout");
    const part = Math.min(idleTimeout, Math.max(idleTimeout / 8, 250));
    this.#pause = this.#quiet === 0 ? part : idleTimeout - this.#quiet;
    this.#idle.set(this.#pause);
  }

  sideClosed(side: Link, other: Link, reason: ConnEndReason): void {
    if (!side.isComplete && !other.isDestroyed) {
      this.#conn.endsBecauseOf(reason);
      other.reset();
    }
    if (!other.isDestroyed) return;
    this.#idle.clear();
    this.#longest?.clear();
    this.#proxy.splices.delete(this);
  }
}

/** One of the two: its input goes to `other`. */
class Side implements LinkUser, Due {
  isDue = false;
  readonly #splice: Splice;
  readonly #link: Link;
  readonly #other: Link;
  readonly #closeReason: ConnEndReason;

  constructor(splice: Splice, link: Link, other: Link, closeReason: ConnEndReason) {
    this.#splice = splice;
    this.#link = link;
    this.#other = other;
    this.#closeReason = closeReason;
  }

  received(bytes: Buffer, isShared: boolean): void {
    this.#splice.moved();
    if (!this.#other.write(bytes, isShared)) this.#link.hold(true);
  }

  drained(): void {
    this.#splice.moved();
    this.#other.hold(false);
  }

  /** Often the other side ends in the same turn, too: then both are closed without being shut first. */
  ended(): void {
    flushAtEndOfTurn(this);
  }

  flush(): void {
    if (!this.#other.isDestroyed) this.#other.end();
  }

  closed(): void {
    this.#splice.sideClosed(this.#link, this.#other, this.#closeReason);
  }
}

/** The client's side, of which another backend gets a copy. */
class MirroredSide extends Side {
  readonly #mirror: Mirror;

  constructor(splice: Splice, link: Link, other: Link, mirror: Mirror) {
    super(splice, link, other, "clientAborted");
    this.#mirror = mirror;
  }

  override received(bytes: Buffer, isShared: boolean): void {
    this.#mirror.write(bytes, isShared);
    super.received(bytes, isShared);
  }

  override ended(): void {
    this.#mirror.end();
    super.ended();
  }

  override closed(): void {
    this.#mirror.close();
    super.closed();
  }
}
