// The streams of an HTTP/2 client's connection: how many there may be, what each is waited for, and how they end.
//
//   requested ── answered, its request complete ───────────────────────────────> closed
//      │            └ its request not complete ──> answered early ─────────────> closed     (see `EarlyAnswers`,
//      │                                                                                     `DiscardedUploads`)
//      │ RST_STREAM of the client's, a mistake ──> abandoned ── handlet done ──> closed
//      └ one too many: REFUSED_STREAM
//
// To its client an abandoned stream is closed. It counts as an open one here for as long as a handlet works on it: else
// a client could have any number of handlets work at once (CVE-2023-44487). How often streams end before their time is
// limited, too.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { ExchanError } from "../http/exchan-error.ts";
import { ExchanTimeouts } from "../http/exchan-timeouts.ts";
import type { ResponseHead } from "../http/exchan.ts";
import { askNow, type Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { TokenBucket, contentOfIdleFrame, idleFramesOfRequest } from "./allowance.ts";
import type { ClientFrames, ClientFrameTarget } from "./client-frames.ts";
import type { Http2CodecServer } from "./codec-server.ts";
import { DiscardedUploads } from "./discarded-uploads.ts";
import { EarlyAnswers } from "./early-answers.ts";
import { errorCode, errorName, frameType, maxWindow, type Http2ErrorCode } from "./frames.ts";
import { ReceivedContent } from "./received-content.ts";
import type { BadRequest, Http2RequestHead } from "./request-head.ts";
import { ResponseHeads } from "./response-heads.ts";
import { requestGivenUp, type StreamWait } from "../http/stream-server-exchan.ts";
import { Http2Exchan, type Http2ExchanConn } from "./server-exchan.ts";
import { StreamConnection } from "./stream-connection.ts";

/** The streams by themselves. The connection that they are on hears of them by what is abstract here. */
export abstract class ClientStreams
  extends StreamConnection<Http2Exchan, ResponseHeads>
  implements Http2ExchanConn, ClientFrameTarget
{
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  protected readonly server: Http2CodecServer;
  protected abstract override readonly frames: ClientFrames;
  readonly #timeouts: ExchanTimeouts<Http2Exchan>;
  readonly #resets: TokenBucket;
  /** Streams that their client has given up while a handlet works on them. */
  #abandoned: Set<Http2Exchan> | undefined;
  /** Made for the first stream that it is needed for. */
  #earlyAnswers: EarlyAnswers | undefined;
  #discardedUploads: DiscardedUploads | undefined;
  /** No stream is served any more, and nothing is sent. */
  #areLeft = false;
  /** Answers that share a write share their date. */
  #date = "";
  #writeOfDate = -1;
  /** Those whose readers get what the present reading brings. */
  #due: Http2Exchan[] = [];

  constructor(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: Http2CodecServer) {
    const { settings } = server;
    const monotonic = (): number => server.monotonic();
    super(socket, {
      heads: new ResponseHeads(),
      window: settings.http2ConnWindow,
      limits: settings,
      monotonic,
      maxBuffered: () => settings.http2MaxBufferedOutput,
    });
    this.peer = askNow(peer);
    this.tls = tls;
    this.server = server;
    this.#resets = new TokenBucket(settings.http2MaxResets, settings.http2FloodRecovery, monotonic);
    this.#timeouts = new ExchanTimeouts(server, {
      peer: this.peer,
      monotonic: () => this.now,
      exchans: () => [...this.streams.values(), ...(this.#abandoned ?? [])],
      progress: () => this.output.taken,
      forgetAbandoned: (exchan) => this.#abandoned?.delete(exchan) === true,
      // What waits for the socket, and not for a window, may be on its way to a client that is only slow.
      isOnlySlow: ({ sendWindow, progressBefore }) => sendWindow > 0 && this.output.taken > progressBefore,
      cancel: (exchan) => this.reset(exchan, errorCode.cancel),
    });
  }

  abstract get isDraining(): boolean;
  abstract settingsAcknowledged(): void;
  abstract peerLeaves(): void;
  /** Streams may begin. */
  protected abstract get takesStreams(): boolean;
  /** A request is about to be served. */
  protected abstract streamBegins(exchan: Http2Exchan): void;
  /** A response is complete. */
  protected abstract streamAnswered(): void;
  /** What is waited for may be another thing: the last stream has ended. */
  protected abstract settle(): void;

  get isCut(): boolean {
    return this.output.isCut;
  }

  /** No stream is open to the client. */
  protected get areStreamsOver(): boolean {
    return this.streams.size + this.#answeredOpen() === 0;
  }

  /** Streams that are answered, and open to the client. */
  #answeredOpen(): number {
    return (this.#earlyAnswers?.size ?? 0) + (this.#discardedUploads?.size ?? 0);
  }

  // ---- what the frames ask for ----

  requested(id: number, head: Http2RequestHead, isEnded: boolean): void {
    const { settings } = this.server;
    if (!this.takesStreams) return this.#refuseStream(id);
    const streams = this.streams.size + (this.#abandoned?.size ?? 0) + this.#answeredOpen();
    if (streams >= settings.http2MaxStreams) {
      this.#refuseStream(id);
      return this.#spendReset();
    }
    this.idleFrames.earn(idleFramesOfRequest);
    const content = isEnded ? undefined : new ReceivedContent(settings.http2StreamWindow);
    const exchan = new Http2Exchan(this, id, head, content, this.sendWindow);
    this.streamBegins(exchan);
    this.server.serve(exchan);
    if (exchan.isOver) return;
    this.streams.add(exchan);
    if (exchan.waitsUntil === Infinity && exchan.isTimed) this.waitFor(exchan, "handle");
  }

  refused(id: number, bad: BadRequest, isEnded: boolean): void {
    const { status, reason } = bad;
    if (status === undefined) return this.failStream(id, errorCode.protocolError, reason);
    this.server.requestRefused(this.peer, status, reason);
    this.sendHead(id, { status, fieldList: [] }, 0, true);
    if (isEnded) this.frames.closedByPeer.add(id);
    else this.#answeredEarly(id);
    // Each has a line in the log, and counts as no request.
    this.#spendReset();
  }

  contentArrived(
    exchan: Http2Exchan,
    bytes: Buffer,
    start: number,
    end: number,
    frameSize: number,
    isEnd: boolean,
  ): void {
    const { content, head } = exchan;
    if (content === undefined) return;
    if (!this.takeFromWindow(frameSize)) return;
    const size = end - start;
    if (!content.window.take(frameSize)) {
      this.giveBack(frameSize);
      return this.failStream(exchan.id, errorCode.flowControlError, "it sends more content on a stream than it may");
    }
    const received = content.received + size;
    const announced = head.isTunnel ? undefined : head.contentSize;
    if (announced !== undefined && (received > announced || (isEnd && received < announced))) {
      this.giveBack(frameSize);
      return this.failStream(
        exchan.id,
        errorCode.protocolError,
        "its content is not as long as its content-length says",
      );
    }
    // Padding is nobody's.
    if (frameSize > size) this.contentTaken(exchan, frameSize - size, false);
    this.idleFrames.earn(size / contentOfIdleFrame);
    if (exchan.isReading && exchan.isTimed && !isEnd && this.#timeouts.isTooSlow(exchan, received)) {
      return this.giveBack(size);
    }
    exchan.contentArrived(bytes, start, end, isEnd);
  }

  peerEnded(id: number): void {
    this.#earlyAnswers?.delete(id);
    if (this.#discardedUploads?.delete(id) === true) this.frames.closedByUs.add(id);
  }

  override contentDropped(frameSize: number, id: number): void {
    // It may come in small frames: the client was told to go on.
    if (this.#discardedUploads?.moved(id) === true) this.idleFrames.earn(frameSize / contentOfIdleFrame);
    super.contentDropped(frameSize, id);
  }

  override pinged(payload: Buffer, isAck: boolean): void {
    if (!isAck) super.pinged(payload, false);
    else if (payload.equals(answeredPing)) this.#earlyAnswers?.acknowledged();
  }

  streamReset(exchan: Http2Exchan): void {
    this.frames.closedByPeer.add(exchan.id);
    this.#abandon(exchan);
    // CVE-2023-44487: streams that are begun only to be given up.
    this.#spendReset();
  }

  reprioritized(exchan: Http2Exchan): void {
    this.sender.reprioritize(exchan);
  }

  failStream(id: number, code: Http2ErrorCode, reason: string): void {
    this.server.note(this.peer, `its stream ${id} was reset with ${errorName(code)}: ${reason}`);
    const exchan = this.streams.get(id);
    this.resetStream(id, code);
    if (exchan !== undefined)
      this.#abandon(exchan, new ExchanError("HEMI_CONTENT_BROKEN", `the request is broken: ${reason}`));
    // CVE-2025-8671: streams that are begun only to have them reset by us.
    this.#spendReset();
  }

  // ---- what the exchans ask for ----

  sendHead(streamId: number, head: ResponseHead, size: number | undefined, isEnd: boolean): void {
    // Reading the clock costs as much as encoding a head that was encoded before.
    if (this.#writeOfDate !== this.output.writes) {
      this.#writeOfDate = this.output.writes;
      this.#date = this.server.date;
    }
    const block = this.sender.heads.encode(head, this.#date, size);
    this.sender.sendBlock(streamId, block, isEnd);
  }

  waitFor(exchan: Http2Exchan, wait: StreamWait): void {
    this.#timeouts.waitFor(exchan, wait);
  }

  waitNoMore(exchan: Http2Exchan): void {
    this.#timeouts.waitNoMore(exchan);
  }

  contentIsDue(exchan: Http2Exchan): void {
    if (this.#due.at(-1) !== exchan) this.#due.push(exchan);
  }

  protected override readingOver(): void {
    const due = this.#due;
    if (due.length === 0) return;
    this.#due = [];
    for (const exchan of due) exchan.readingOver();
  }

  contentTaken(exchan: Http2Exchan, size: number, isFast: boolean): void {
    // A handlet may read what has come after our side is shut, where a frame would break the connection off.
    if (this.#areLeft) return;
    this.giveBack(size);
    this.giveBackOn(exchan, size, isFast, this.server.settings.http2MaxStreamWindow);
  }

  finished(exchan: Http2Exchan): void {
    const { id, content } = exchan;
    this.streams.delete(id);
    this.#resets.earn(1);
    if (content?.isWhole === false) {
      if (!this.#discardUpload(exchan, content.received)) this.#answeredEarly(id);
    } else this.frames.closedByPeer.add(id);
    this.streamAnswered();
    if (this.streams.size === 0 && !this.isAdvancing) this.settle();
  }

  reset(exchan: Http2Exchan, code: Http2ErrorCode): void {
    this.resetStream(exchan.id, code);
    this.#remove(exchan);
  }

  abandonedOver(exchan: Http2Exchan): void {
    this.#abandoned?.delete(exchan);
  }

  // ---- streams that end early ----

  /** Its client, or what its client did, ended the stream; its handlet may work on. */
  #abandon(exchan: Http2Exchan, why = requestGivenUp()): void {
    const abandoned = (this.#abandoned ??= new Set());
    abandoned.add(exchan);
    this.#remove(exchan, why);
    if (abandoned.has(exchan)) this.waitFor(exchan, "handle");
  }

  #remove(exchan: Http2Exchan, why?: ExchanError): void {
    this.streams.delete(exchan.id);
    this.sender.forget(exchan);
    const kept = exchan.content?.kept ?? 0;
    exchan.content?.drop();
    if (kept > 0) this.giveBack(kept);
    exchan.broken(why);
    if (this.streams.size === 0 && !this.isAdvancing) this.settle();
  }

  #refuseStream(id: number): void {
    this.resetStream(id, errorCode.refusedStream);
  }

  /** The answer is complete, and nobody wants the rest of the request. */
  #answeredEarly(id: number): void {
    // What still comes on it is passed over.
    this.frames.closedByUs.add(id);
    this.#earlyAnswers ??= new EarlyAnswers({
      makeDeadline: (onExpired) => this.server.makeDeadline(onExpired),
      timeout: () => this.server.settings.lingerTimeout,
      ping: () => this.sender.sendFrame(frameType.ping, 0, 0, answeredPing),
      reset: (id) => this.#resetAnswered(id),
    });
    this.#earlyAnswers.add(id);
  }

  /** The answer is complete, and the rest of the request may come. False: it is not known how much that is. */
  #discardUpload({ id, head, hasSucceeded }: Http2Exchan, received: number): boolean {
    const left = (head.contentSize ?? Infinity) - received;
    if (!hasSucceeded || head.isTunnel || left > maxDiscarded) return false;
    this.frames.closedByUs.hold(id);
    this.#discardedUploads ??= new DiscardedUploads({
      makeDeadline: (onExpired) => this.server.makeDeadline(onExpired),
      monotonic: () => this.server.monotonic(),
      limits: this.server.settings,
      reset: (id) => this.#resetAnswered(id),
    });
    this.#discardedUploads.add(id);
    if (left > 0) this.sender.sendNumber(frameType.windowUpdate, id, left);
    return true;
  }

  #resetAnswered(id: number): void {
    this.resetStream(id, errorCode.noError);
    if (!this.isAdvancing) this.settle();
  }

  #spendReset(): void {
    if (!this.#resets.spend()) this.fail(errorCode.enhanceYourCalm, "it floods us with streams that are reset");
  }

  // ---- limits in time ----

  /** A frame of content may be long in coming: what has come of it is progress, too. */
  protected notePartialContent(): void {
    const exchan = this.streams.get(this.cutter.partialDataStream);
    if (exchan?.isReading !== true || !exchan.isTimed || exchan.content === undefined) return;
    const received = exchan.content.received + this.cutter.partialSize;
    if (!this.#timeouts.isTooSlow(exchan, received)) this.waitFor(exchan, "content");
  }

  // ---- the end ----

  /** The connection serves no stream any more. */
  protected leaveStreams(): void {
    this.#areLeft = true;
    this.#earlyAnswers?.end();
    this.#discardedUploads?.end();
    const exchans = this.streams.values();
    this.streams.clear();
    for (const exchan of exchans) {
      this.sender.forget(exchan);
      exchan.broken();
    }
  }

  /** The connection is closed. */
  protected streamsClosed(): void {
    this.leaveStreams();
    this.#abandoned?.clear();
    this.#timeouts.end();
  }
}

const answeredPing = Buffer.from("answered", "latin1");

/** In bytes: more would not fit into the window of a stream, beside what the client may have sent anyway. */
const maxDiscarded = maxWindow >> 1;
