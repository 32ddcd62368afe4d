// What the engine tracks of a response while handlets make it: the rule that has its request, the revisers hooked on
// it, the component that counts it, and who hears of its head and its end. `Response` adds what handlets send.

import type { EndListener, ExchanCounter, ExchanWire } from "../../http/exchan.ts";
import type { EndReason } from "../../http/end-reason.ts";
import { timeSinceTick } from "../../metrics/turn.ts";
import type { FilterHook } from "../content/filter.ts";
import type { RequestCounts } from "../dispatch/request-counts.ts";
import type { Request } from "../request/request.ts";
import { EditableHead } from "./editable-head.ts";
import type { ErrorPages } from "./error-pages.ts";
import { FilterPipe, type PipedResponse } from "./filter-pipe.ts";

/** Hears how a response comes along. Must not throw. */
export interface ProgressListener {
  /** The head was sent before the content, or opens a tunnel. Called at most once. */
  headSent(): void;
  /** A node of a backend is being asked; each further one, too. */
  nodeAsked(): void;
  /** A node, by its address, has answered to the end, or failed; "" if none could be asked. */
  nodeDone(node: string): void;
  /** Called as an EndListener is. */
  ended(status: number | undefined, contentSent: number, reason: EndReason): void;
}

/** Hears how requests end. Must not throw. */
export interface ResponseTracer {
  /** `status`: `undefined` if none was sent. */
  ended(resp: TrackedResponse, status: number | undefined, reason: EndReason): void;
}

/**
 * The part of a response that is for the engine only. Its constructor sets plain properties, for the reason that
 * `HeadDraft` gives.
 */
export abstract class TrackedResponse extends EditableHead implements PipedResponse, ExchanCounter {
  /** What it answers; `undefined` for a request that was refused. */
  declare readonly req: Request | undefined;
  declare protected readonly wire: ExchanWire;
  /** `undefined`: nothing revises it. */
  declare protected pipe: FilterPipe | undefined;
  declare private currentRule: { readonly path: string } | undefined;
  declare private currentPages: ErrorPages | undefined;
  declare private isPage: boolean;
  declare private tunnelKind: "webSocket" | "tunnel" | undefined;
  declare private handleTimeout: number | undefined;
  /** Of the component that has the request; `undefined` for exchans that are not counted. */
  declare private counts: RequestCounts | undefined;
  declare private countedSince: number;
  declare private tracer: ResponseTracer | undefined;
  declare private listener: ProgressListener | undefined;
  /** It is counted, and its end is not yet. */
  declare private isUnderWay: boolean;

  constructor(wire: ExchanWire, req: Request | undefined) {
    super();
    this.req = req;
    this.wire = wire;
    this.pipe = undefined;
    this.currentRule = undefined;
    this.currentPages = undefined;
    this.isPage = false;
    this.tunnelKind = undefined;
    this.handleTimeout = undefined;
    this.counts = undefined;
    this.countedSince = 0;
    this.tracer = undefined;
    this.listener = undefined;
    this.isUnderWay = false;
  }

  abstract get wasAborted(): boolean;
  abstract abort(): void;
  abstract noteFault(error: unknown): void;

  // ---- whose it is ----

  /** The rule that has the request, or had it last. */
  get rule(): { readonly path: string } | undefined {
    return this.currentRule;
  }

  /** What stands for the engine's own pages: of that rule, or of the webapp. */
  get errorPages(): ErrorPages | undefined {
    return this.currentPages;
  }

  /** The webapp has the request, and no rule yet. */
  enterWebapp(errorPages: ErrorPages): void {
    this.currentPages = errorPages;
  }

  /** A rule has the request from now on. `handleTimeout`: see `limitHandling`. */
  enterRule(rule: { readonly path: string }, errorPages: ErrorPages, handleTimeout: number | undefined): void {
    this.currentRule = rule;
    this.currentPages = errorPages;
    this.limitHandling(handleTimeout);
  }

  /** In ms, how long the handlet has, in place of the server's `handleTimeout`; `undefined`: the server's. */
  limitHandling(timeout: number | undefined): void {
    if (timeout === this.handleTimeout) return;
    this.handleTimeout = timeout;
    this.wire.limitHandling(timeout);
  }

  /**
   * Once this is answered, nothing more is read that came by the same way, where other requests could be hidden in it.
   */
  distrustClient(): void {
    this.wire.distrust();
  }

  // ---- what it has become ----

  /** Whether this is one of the engine's own pages, or what stands for one. */
  get isStatusPage(): boolean {
    return this.isPage;
  }

  /** It becomes one. */
  beginStatusPage(): void {
    this.isPage = true;
  }

  /** Whether it has become a WebSocket, or another tunnel, which may last for long. */
  get lasting(): "webSocket" | "tunnel" | undefined {
    return this.tunnelKind;
  }

  /** It has become a tunnel. `protocol`: `undefined` for CONNECT. */
  protected tunnelOpened(protocol: string | undefined): void {
    this.tunnelKind = protocol === "websocket" ? "webSocket" : "tunnel";
    this.listener?.headSent();
  }

  // ---- who revises it ----

  /** Whether this part is already hooked. */
  isHookedBy(part: object): boolean {
    return this.pipe?.isHookedBy(part) === true;
  }

  /** Whether one of these parts is hooked, or may have a filter on the content. */
  isHookedByOneOf(parts: ReadonlySet<object>): boolean {
    return this.pipe?.isHookedByOneOf(parts) === true;
  }

  /** Adds a hook that inspects the final head. */
  addHook(hook: FilterHook): void {
    this.pipe ??= new FilterPipe(this.wire, this);
    this.pipe.addHook(hook);
  }

  override reset(): void {
    super.reset();
    this.pipe?.drop();
  }

  // ---- who counts it ----

  /** The request is counted, at first for these. */
  countFor(counts: RequestCounts): void {
    this.counts = counts;
    this.isUnderWay = true;
    this.countedSince = counts.began();
    this.wire.countBy(this);
  }

  /** Another component has the request from now on. Does nothing for an exchan that is not counted. */
  isOf(counts: RequestCounts | undefined): void {
    if (this.counts !== undefined && counts !== undefined) this.counts = counts;
  }

  /** How long its request has been there, in ms; 0 if it is not counted. */
  get age(): number {
    return this.counts === undefined ? 0 : timeSinceTick(this.countedSince);
  }

  /** The request, which is over, was sampled. */
  keepExemplar(traceId: string, duration: number, now: number): void {
    if (this.lasting === undefined) this.counts?.keepExemplar(traceId, duration, now);
  }

  /** For the wire. */
  exchanEnded(status: number | undefined, contentSent: number, reason: EndReason, received: number): void {
    const isTunnel = this.lasting !== undefined;
    if (this.isUnderWay) {
      this.isUnderWay = false;
      this.counts?.ended(this.countedSince, status ?? 0, reason !== "complete", isTunnel, received, contentSent);
    }
    const { tracer, listener } = this;
    // Who begins to count what is over is told at once: the others know already.
    this.tracer = undefined;
    this.listener = undefined;
    tracer?.ended(this, status, reason);
    listener?.ended(status, contentSent, reason);
  }

  /**
   * For an answer that is complete, and may wait for its client for long: what counts it keeps nothing else of the
   * request meanwhile.
   */
  protected leaveToItsClient(): void {
    const { wire, counts, tracer, listener } = this;
    if (counts === undefined || !this.isUnderWay || tracer !== undefined || listener !== undefined) return;
    this.isUnderWay = false;
    wire.countBy(new WaitingAnswer(counts, this.countedSince));
  }

  // ---- who hears of it ----

  /** A tracer hears how the request ends, if it is counted. */
  traceBy(tracer: ResponseTracer): void {
    this.tracer = tracer;
  }

  /** See `reportTo`. */
  get progressListener(): ProgressListener | undefined {
    return this.listener;
  }

  /** Supports one listener. It comes before the response is sent, or after the exchan is over. */
  reportTo(listener: ProgressListener): void {
    this.listener = listener;
    this.wire.countBy(this);
  }

  /** Calls back with the end reason when the response has ended. */
  onEnd(listener: EndListener): void {
    this.wire.onEnd(listener);
  }
}

/** Counts an answer that waits for its client. */
class WaitingAnswer implements ExchanCounter {
  readonly #counts: RequestCounts;
  readonly #since: number;

  constructor(counts: RequestCounts, since: number) {
    this.#counts = counts;
    this.#since = since;
  }

  exchanEnded(status: number | undefined, contentSent: number, reason: EndReason, received: number): void {
    this.#counts.ended(this.#since, status ?? 0, reason !== "complete", false, received, contentSent);
  }
}
