// A session of a router of datagrams, from its first datagram to its end.
//
//  datagram ──> cases and dealets: see CaseWalk ──> taken by a dealet, which begins ──> closed: idle, or by the dealet
//                 │    ^                       └──> not taken: closed
//                 │    └── the next datagram, sniffTimeout
//                 └── the ClientHello is not complete

import { guarded, isPromiseLike, type Deadline } from "@hemi/common";
import { more } from "../../component/partial-condition.ts";
import type { DatagramShare } from "../../net/datagram-sockets.ts";
import type { Policer } from "../../net/pacer.ts";
import type { Endpoint } from "../../net/peer.ts";
import type { Trace } from "../../operator/trace.ts";
import { CaseWalk, type WalkingConn } from "../case-walk.ts";
import type { ConnNotes, LoggedConn } from "../conn-log/conn-entry.ts";
import type { ConnEndReason } from "../end-reason.ts";
import type { DealetPart } from "../kinds.ts";
import type { RoutedCase, Taker } from "../routed-cases.ts";
import type { UdpsSession, UdpsSessionUser } from "./dealet.ts";
import { noHello, type HelloReader, type SessionHello } from "./hello.ts";

/** The limits of a session. Read at each use, because live props change them. */
export interface SessionSettings {
  readonly sniffTimeout: number;
  readonly idleTimeout: number;
  readonly drainIdleTimeout: number;
  readonly maxQueued: number;
  readonly maxAnswers: number;
}

/** A limit, by the name of its prop. */
export interface NamedLimit {
  /** As in the configuration. */
  readonly name: string;
  /** How much it allows. */
  readonly bytes: number;
}

/** The services that a session needs from its router. */
export interface RouterOfSessions {
  /** Looked at whenever they are used: live. */
  readonly settings: SessionSettings;
  /** In the order of the text. */
  readonly cases: readonly RoutedCase[];
  /** Calls back when the deadline that is set has passed. */
  makeDeadline(onExpired: () => void): Deadline;
  /** For a new session; `undefined` if it is not traced. */
  beginTrace(): Trace | undefined;
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Takes room for a datagram that waits; false if the router has none. */
  mayQueue(size: number): boolean;
  /** A datagram waits no longer. */
  unqueued(size: number): void;
  /** How much may be sent to a client whose address is not proven. */
  unprovenLimit(session: RouterSession): NamedLimit;
  /** A datagram of this session was dropped, because of the limit that is named: of the router, or of a dealet. */
  dropped(session: RouterSession, limit: string): void;
  /** What was thrown for a session of this client is in the log. */
  /** A component has thrown: the dealet that has the session, if there is one. */
  failed(session: RouterSession, error: unknown): void;
  /** The client of the session has shown that it receives answers. */
  proven(session: RouterSession): void;
  /** Called once. */
  over(session: RouterSession, reason: ConnEndReason): void;
}

/** A session of datagrams: those of one client, until nothing comes any more. */
export class RouterSession implements UdpsSession, LoggedConn, WalkingConn {
  /** Of its router. */
  place = -1;
  readonly source: Endpoint;
  /** The number of bytes of datagrams that have come from the client, and of those that were sent to it. */
  bytesReceived = 0;
  /** See `bytesReceived`. */
  bytesSent = 0;
  node = "";
  /** When a node was found, in ms on the monotonic clock; `undefined`: none was. */
  servedAt: number | undefined;
  notes: ConnNotes | undefined;
  readonly beganAt: number;
  readonly trace: Trace | undefined;
  /** Whether the client has shown that it receives what is sent to it: its address is not forged. */
  isProven = false;
  isOver = false;
  /** The node that has to get it; `undefined`: any. */
  onlyNode: string | undefined;
  readonly #router: RouterOfSessions;
  readonly #reader: HelloReader;
  readonly #share: DatagramShare;
  readonly #walk: CaseWalk;
  readonly #idle: Deadline;
  readonly #sniff: Deadline;
  /** What has come before a dealet began. */
  #queue: Buffer[] = [];
  #user: UdpsSessionUser | undefined;
  #hello: SessionHello | undefined;
  #receivePolicers: Policer[] | undefined;
  #sendPolicers: Policer[] | undefined;
  #isDraining = false;
  /** How many answers the last datagram still allows. */
  #answersLeft = 0;
  #listeners: (() => void)[] = [];

  /** The datagram that begins it is given to `deliver` after that. */
  constructor(source: Endpoint, reader: HelloReader, share: DatagramShare, router: RouterOfSessions) {
    this.source = source;
    this.#reader = reader;
    this.#share = share;
    this.#router = router;
    this.beganAt = router.now();
    this.trace = router.beginTrace();
    this.#walk = new CaseWalk(this, router);
    this.#idle = router.makeDeadline(() => this.close("idleTimeout"));
    this.#sniff = router.makeDeadline(() => this.#giveUpHello());
  }

  // ---- facts ----

  get destination(): Endpoint {
    return this.#share.local;
  }
  get srcHost(): string {
    return this.source.address;
  }
  get srcPort(): number {
    return this.source.port;
  }
  get peerHost(): string {
    return this.source.address;
  }
  get peerPort(): number {
    return this.source.port;
  }
  get caseName(): string {
    return this.#walk.caseName;
  }
  get dstHost(): string {
    return this.destination.address;
  }
  get dstPort(): number {
    return this.destination.port;
  }

  get transport(): HelloReader["transport"] {
    return this.#reader.transport;
  }
  get protocol(): string {
    return this.#reader.protocol;
  }
  get serverName(): string | typeof more {
    return this.#readHello()?.serverName ?? more;
  }
  get nextProto(): string | typeof more {
    return this.#readHello()?.nextProto ?? more;
  }

  #readHello(): SessionHello | undefined {
    return (this.#hello ??= this.#reader.read(this.#queue));
  }

  // ---- for the router ----

  /** A datagram of the client. `showsAddress`: it could not have sent it without an earlier answer. */
  deliver(datagram: Buffer, showsAddress = this.bytesSent > 0): void {
    const { settings } = this.#router;
    this.bytesReceived += datagram.length;
    this.#idle.set(this.#isDraining ? settings.drainIdleTimeout : settings.idleTimeout);
    this.#answersLeft = settings.maxAnswers;
    if (!this.isProven && showsAddress) {
      this.isProven = true;
      this.#router.proven(this);
    }
    if (this.#user !== undefined) return this.#pass(this.#user, datagram);
    if (this.#queue.length >= settings.maxQueued) return this.#router.dropped(this, "maxQueued");
    if (!this.#router.mayQueue(datagram.length)) return this.#router.dropped(this, "maxQueuedSize");
    this.#queue.push(datagram);
    this.#walk.advance();
  }

  /** It holds from now on. */
  idleTimeoutChanged(): void {
    if (this.#isDraining) return;
    this.#idle.set(this.#router.settings.idleTimeout);
  }

  /** It goes on as long as there are datagrams. */
  drain(): void {
    this.#isDraining = true;
    this.#idle.clear();
    this.#idle.set(this.#router.settings.drainIdleTimeout);
  }

  /** Ends it at once: the router shuts down. */
  destroy(): void {
    this.close("shutdown");
  }

  // ---- for dealets ----

  begin(user: UdpsSessionUser): void {
    if (this.isOver) return this.#attempt(() => user.closed());
    this.#user = user;
    for (const datagram of this.#emptyQueue()) if (!this.#isClosed()) this.#pass(user, datagram);
  }

  policeReceiving(policer: Policer): void {
    (this.#receivePolicers ??= []).push(policer);
  }

  policeSending(policer: Policer): void {
    (this.#sendPolicers ??= []).push(policer);
  }

  #pass(user: UdpsSessionUser, datagram: Buffer): void {
    const isAdmitted = this.#receivePolicers?.every((policer) => policer.admits(datagram.length)) !== false;
    if (!isAdmitted) return this.#router.dropped(this, "maxUploadRate");
    try {
      const outcome = user.received(datagram);
      if (isPromiseLike(outcome)) outcome.then(undefined, (error: unknown) => this.failed(error));
    } catch (error) {
      // A dealet may begin when nobody is there any more to catch it.
      this.failed(error);
    }
  }

  send(datagram: Buffer): boolean {
    if (this.isOver) return false;
    const { settings } = this.#router;
    if (this.#answersLeft === 0) return this.#drop("maxAnswers");
    if (!this.isProven) {
      const { name, bytes } = this.#router.unprovenLimit(this);
      if (this.bytesSent + datagram.length > bytes) return this.#drop(name);
    }
    if (this.#sendPolicers?.every((policer) => policer.admits(datagram.length)) === false) {
      return this.#drop("maxDownloadRate");
    }
    this.#answersLeft--;
    this.bytesSent += datagram.length;
    // An address that is not proven does not get more time by answers.
    if (this.isProven) this.#idle.set(this.#isDraining ? settings.drainIdleTimeout : settings.idleTimeout);
    this.#share.send(datagram, this.source);
    return true;
  }

  servedBy(node: string): void {
    this.node = node;
    this.servedAt = this.#router.now();
  }

  note(notes: ConnNotes): void {
    this.notes = { ...this.notes, ...notes };
  }

  onClose(listener: () => void): void {
    if (this.isOver) listener();
    else this.#listeners.push(listener);
  }

  close(reason: ConnEndReason): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#idle.clear();
    this.#sniff.clear();
    this.#emptyQueue();
    this.#attempt(() => this.#user?.closed());
    for (const listener of this.#listeners.splice(0)) this.#attempt(listener);
    this.#router.over(this, reason);
  }

  /** Whatever a dealet throws, its session is over, and counts no longer. */
  #attempt(tell: () => unknown): void {
    guarded(tell, (error) => this.#router.failed(this, error));
  }

  /** A function, because TypeScript assumes that a call does not change the value. */
  #isClosed(): boolean {
    return this.isOver;
  }

  #drop(limit: string): false {
    this.#router.dropped(this, limit);
    return false;
  }

  #emptyQueue(): readonly Buffer[] {
    const queue = this.#queue;
    this.#queue = [];
    for (const { length } of queue) this.#router.unqueued(length);
    return queue;
  }

  // ---- from its way through the cases ----

  /** The case and the dealet that have it, or are asked just now. */
  get taker(): Taker | undefined {
    return this.#walk.taker;
  }

  /** Gives it to who has another session of the same client, without a look at the cases. */
  followTo(taker: Taker): void {
    this.#walk.follow(taker);
  }

  waitForMore(): void {
    if (!this.#sniff.isSet) this.#sniff.set(this.#router.settings.sniffTimeout);
  }

  matched(): void {
    this.#sniff.clear();
  }

  offerTo(dealet: DealetPart): boolean | Promise<boolean> | undefined {
    return dealet.takeSession?.(this);
  }

  notTaken(): void {
    this.close("notTaken");
  }

  failed(error: unknown): void {
    this.#router.failed(this, error);
    this.close("error");
  }

  #giveUpHello(): void {
    this.#hello ??= noHello;
    this.#walk.advance();
  }
}
