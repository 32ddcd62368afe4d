// A connection of a tcpsRouter, from its acceptance to its end.
//
//  accepted ──> cases and dealets: see CaseWalk ──> taken by a dealet, which begins or releases it ──> closed
//                 │    ^                        └──> not taken: closed
//                 │    └── bytes, the client's end, sniffTimeout
//                 └── more bytes are needed

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { guarded, type Deadline } from "@hemi/common";
import { more } from "../../component/partial-condition.ts";
import type { CodecConn } from "../../front/codecs.ts";
import type { BareConn } from "../../net/bare-conn.ts";
import { Link, type LinkUser } from "../../net/link.ts";
import { askNow, type Endpoint, type Peer } from "../../net/peer.ts";
import { handshakeRecord, maxClientHello, readClientHello, readProtocols } from "../../net/tls/client-hello.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import { CaseWalk, type WalkingConn } from "../case-walk.ts";
import type { DealetPart } from "../kinds.ts";
import type { RoutedCase, Taker } from "../routed-cases.ts";
import { sniffStream } from "../sniff.ts";
import type { Trace } from "../../operator/trace.ts";
import type { TcpsConn } from "./dealet.ts";
import type { ConnNotes, LoggedConn } from "../conn-log/conn-entry.ts";
import { isUsualEnd, type ConnEndReason } from "../end-reason.ts";
import { known } from "../facts.ts";

/** The services that a connection needs from its router. */
export interface RouterOfConns {
  readonly settings: { readonly sniffTimeout: number; readonly drainIdleTimeout: number };
  readonly cases: readonly RoutedCase[];
  /** Whether it has a connection log. */
  readonly isLogging: boolean;
  /** For a new connection; `undefined` if it is not traced. */
  beginTrace(): Trace | undefined;
  makeDeadline(onExpired: () => void): Deadline;
  /** Monotonic, in milliseconds. */
  now(): number;
  /** A component has thrown: the dealet that has the connection, if there is one. */
  failed(conn: RouterConn, error: unknown): void;
  /** Called once, when the connection is closed or somebody else has it. */
  over(conn: RouterConn, reason: ConnEndReason): void;
}

export class RouterConn implements TcpsConn, LoggedConn, WalkingConn, CodecConn, LinkUser {
  /** Of its gate. */
  place = -1;
  readonly peer: Peer;
  readonly source: Endpoint;
  readonly tls: TlsFacts | undefined;
  readonly link: Link;
  readonly #router: RouterOfConns;
  readonly #walk: CaseWalk;
  /** Of bytes that are waited for. Most connections need none. */
  #deadline: Deadline | undefined;
  #destination: Endpoint | undefined;
  /** What was received before a dealet began. */
  #head: Buffer = nothing;
  /** No more bytes are waited for. */
  #isFinal = false;
  #phase: "sniffing" | "dealing" | "begun" | "over" = "sniffing";
  #reason: ConnEndReason | undefined;
  #user: LinkUser | undefined;
  #listeners: (() => void)[] | undefined;
  node = "";
  servedAt: number | undefined;
  notes: ConnNotes | undefined;
  readonly beganAt: number;
  readonly trace: Trace | undefined;
  /** Facts that depend on the head, once it is given away. */
  #told: { readonly serverName: string; readonly nextProto: string; readonly protocol: string } | undefined;

  constructor(socket: Socket | BareConn, peer: Peer, tls: TlsFacts | undefined, router: RouterOfConns) {
    this.peer = peer;
    this.source = peer.source ?? peer;
    this.tls = tls;
    this.#router = router;
    this.beganAt = router.now();
    this.trace = router.beginTrace();
    this.#walk = new CaseWalk(this, router);
    this.link = new Link(() => socket, this, tls);
    if (router.isLogging || this.trace !== undefined) this.#keepAddresses();
    this.link.hold(true);
  }

  // ---- facts ----

  /** Asked of the socket when it is needed: the answer takes memory. */
  get destination(): Endpoint {
    return (this.#destination ??= this.peer.local ?? { address: "", port: 0 });
  }
  get transport(): "tcp" | "tls" | "uds" {
    if (this.tls !== undefined) return "tls";
    return this.peer.port === 0 ? "uds" : "tcp";
  }
  get srcHost(): string {
    return this.source.address;
  }
  get srcPort(): number {
    return this.source.port;
  }
  get peerHost(): string {
    return this.peer.address;
  }
  get dstHost(): string {
    return this.destination.address;
  }
  get dstPort(): number {
    return this.destination.port;
  }

  get peerPort(): number {
    return this.peer.port;
  }
  get bytesReceived(): number {
    return this.link.received;
  }
  get bytesSent(): number {
    return this.link.sent;
  }
  get caseName(): string {
    return this.#walk.caseName;
  }

  get serverName(): string | typeof more {
    if (this.#told !== undefined) return this.#told.serverName;
    if (this.tls !== undefined) return this.tls.serverName;
    return this.#fromHello(() => readClientHello(this.#head)?.serverName?.toLowerCase().replace(/\.$/, "") ?? "");
  }

  get nextProto(): string | typeof more {
    if (this.#told !== undefined) return this.#told.nextProto;
    if (this.tls !== undefined) return this.tls.nextProto;
    return this.#fromHello(() => readProtocols(this.#head)[0] ?? "");
  }

  get protocol(): string | typeof more {
    if (this.#told !== undefined) return this.#told.protocol;
    const found = sniffStream(this.#head);
    if (found !== more || !this.#isFinal) return found;
    return this.#head.length === 0 ? "silent" : "";
  }

  #fromHello(read: () => string): string | typeof more {
    const [first, version = 3] = this.#head;
    if (first === undefined) return this.#isFinal ? "" : more;
    if (first !== handshakeRecord || version !== 3) return "";
    if (readClientHello(this.#head) === undefined) return this.#isFinal ? "" : more;
    return read();
  }

  // ---- for dealets ----

  begin(user: LinkUser): void {
    if (this.#phase === "over") return this.#attempt(() => user.closed());
    this.#phase = "begun";
    this.#user = user;
    const head = this.#giveHead();
    this.link.use(this);
    this.link.hold(false);
    try {
      if (head.length > 0) this.link.heed(user.received(head, false));
      if (this.link.hasEnded) this.link.heed(user.ended());
    } catch (thrown) {
      // As what it throws later: a dealet may begin when nobody is there any more to catch it.
      this.link.breakOff(thrown);
    }
  }

  release(): Socket | undefined {
    if (this.isOver) return undefined;
    if (this.link.hasEnded) {
      this.close("clientAborted");
      return undefined;
    }
    const socket = this.link.release(this.#giveHead());
    this.endsBecauseOf("handedOver");
    this.#over();
    return socket;
  }

  onClose(listener: () => void): void {
    if (this.#phase === "over") listener();
    else (this.#listeners ??= []).push(listener);
  }

  offClose(listener: () => void): void {
    const left = this.#listeners?.filter((each) => each !== listener) ?? [];
    this.#listeners = left.length > 0 ? left : undefined;
  }

  close(reason: ConnEndReason): void {
    this.endsBecauseOf(reason);
    this.link.destroy();
  }

  endsBecauseOf(reason: ConnEndReason): void {
    // The error log will name it.
    if (!isUsualEnd(reason)) askNow(this.peer);
    this.#reason ??= reason;
  }

  servedBy(node: string): void {
    this.node = node;
    this.servedAt = this.#router.now();
  }

  note(notes: ConnNotes): void {
    this.notes = { ...this.notes, ...notes };
  }

  /** What was received so far. The facts that it tells are kept for the log. */
  #giveHead(): Buffer {
    const head = this.#head;
    if (head.length > 0) {
      const { serverName, nextProto, protocol } = this;
      this.#told ??= { serverName: known(serverName), nextProto: known(nextProto), protocol: known(protocol) };
    }
    this.#head = nothing;
    return head;
  }

  /** A closed socket does not know them any more. */
  #keepAddresses(): void {
    askNow(this.peer);
    this.#destination = this.destination;
  }

  // ---- for the gate ----

  entered(): void {
    this.#walk.advance();
  }

  /** An established connection goes on until its end, or until the stage waits no longer. */
  drain(): void {
    if (this.#phase === "sniffing") this.#limitWait(this.#router.settings.drainIdleTimeout);
  }

  destroy(): void {
    this.close("shutdown");
  }

  // ---- from the link ----

  received(bytes: Buffer, isShared: boolean): void | Promise<void> {
    if (this.#user !== undefined) return this.#user.received(bytes, isShared);
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length >= maxClientHello) this.#isFinal = true;
    this.#walk.advance();
  }

  ended(): void | Promise<void> {
    if (this.#user !== undefined) return this.#user.ended();
    this.#finalize();
  }

  drained(): void | Promise<void> {
    return this.#user?.drained();
  }

  closed(): void {
    this.#over();
  }

  threw(thrown: unknown): void {
    this.#router.failed(this, thrown);
    this.endsBecauseOf("error");
  }

  #over(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#deadline?.clear();
    this.#giveHead();
    // It may know a better reason.
    this.#attempt(() => this.#user?.closed());
    this.#reason ??= this.#user !== undefined && this.link.error === undefined ? "complete" : "clientAborted";
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) this.#attempt(listener);
    this.#router.over(this, this.#reason);
  }

  /** Whatever a dealet throws, its connection is over, and counts no longer. */
  #attempt(tell: () => unknown): void {
    guarded(tell, (error) => this.threw(error));
  }

  // ---- from its way through the cases ----

  get isOver(): boolean {
    return this.#phase === "over" || this.link.isDestroyed;
  }

  get taker(): Taker | undefined {
    return this.#walk.taker;
  }

  waitForMore(): void {
    this.#phase = "sniffing";
    if (this.#deadline?.isSet !== true) this.#limitWait(this.#router.settings.sniffTimeout);
    this.link.hold(false);
  }

  matched(): void {
    this.#phase = "dealing";
    this.#deadline?.clear();
    this.#deadline = undefined;
    this.link.hold(true);
  }

  offerTo(dealet: DealetPart): boolean | Promise<boolean> | undefined {
    const taken = dealet.takeConn?.(this);
    // It may fail when the client has left.
    if (taken instanceof Promise) this.#keepAddresses();
    return taken;
  }

  notTaken(): void {
    this.close("notTaken");
  }

  failed(error: unknown): void {
    this.#router.failed(this, error);
    this.close("error");
  }

  #limitWait(ms: number): void {
    this.#deadline ??= this.#router.makeDeadline(() => this.#finalize());
    this.#deadline.set(ms);
  }

  #finalize(): void {
    this.#isFinal = true;
    this.#walk.advance();
  }
}

const nothing = Buffer.alloc(0);
