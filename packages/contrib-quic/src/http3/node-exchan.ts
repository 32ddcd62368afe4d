// One request to an HTTP/3 server, and its response, on a stream of a connection that others share.
//
// The stream is read only while the client takes what comes. A response that has come in full is given on whole.

import {
  notInTrailers,
  passedFields,
  StreamNodeExchan,
  type BackendRequest,
  type Fields,
  type MultiplexedResponseHead,
  type NodeWait,
  type StreamSource,
} from "@hemi/internal";
import type { Http3NodeSettings } from "../http3-node-props.ts";
import { errorCode, errorName } from "./errors.ts";
import { Http3NodeTunnel } from "./node-tunnel.ts";
import type { RequestStream } from "./request-stream.ts";
import type { StreamOutput } from "./stream-output.ts";

/** Where connections come from: a pool of a node's. */
export interface Http3Source extends StreamSource {
  readonly settings: Http3NodeSettings;
  /** `granted` follows, or `unavailable`. */
  take(exchan: Http3NodeExchan): void;
  /** Neither has to follow any more. */
  forget(exchan: Http3NodeExchan): void;
}

/** What an exchan needs of the connection that its stream is on. */
export interface NodeStreamConn {
  /** Requests that were begun here. */
  readonly requests: number;
  /** How often something was read. */
  readonly readings: number;
  /** Begins its stream. */
  sendHead(exchan: Http3NodeExchan, output: StreamOutput, request: BackendRequest, isEnd: boolean): void;
  /** Ends it. */
  sendTrailers(exchan: Http3NodeExchan, output: StreamOutput, fieldList: readonly string[]): void;
  /** Something was written: `flush` follows when more is taken, if not all was. */
  written(exchan: Http3NodeExchan, output: StreamOutput): void;
  /** Something was sent, or another thing is waited for: its whole time begins anew. */
  waitFor(exchan: Http3NodeExchan, wait: NodeWait): void;
  /** Its stream is over, or not wanted any more. */
  forget(exchan: Http3NodeExchan, stream: RequestStream, output: StreamOutput): void;
  /** Runs what may find an error of the connection, which then ends. */
  guarded(run: () => void): void;
}

/** The stream that an exchan has been granted. */
interface Granted {
  readonly conn: NodeStreamConn;
  readonly stream: RequestStream;
  readonly output: StreamOutput;
}

export class Http3NodeExchan extends StreamNodeExchan<Http3Source> {
  #granted: Granted | undefined;
  /** What the connection had read when the request was sent by it, where it had served others before; else -1. */
  #readBefore = -1;
  /** Content that was read, and that the taker has not got: bounded by what is read at once. */
  #pieces: Buffer[] = [];
  #writable: PromiseWithResolvers<void> | undefined;
  /** Once the node has left HTTP. */
  #tunnel: Http3NodeTunnel | undefined;

  /** -1 until there is a stream. */
  get id(): number {
    return this.#granted?.stream.id ?? -1;
  }

  /** That the node is asked to leave HTTP for. */
  get protocol(): string | undefined {
    return this.tunnelRequest?.protocol;
  }

  // ---- towards the node ----

  protected takeConn(source: Http3Source): void {
    source.take(this);
  }

  /** There is a stream for it. */
  granted(conn: NodeStreamConn, stream: RequestStream, output: StreamOutput): void {
    this.#granted = { conn, stream, output };
    if (conn.requests > 1) this.#readBefore = conn.readings;
    conn.sendHead(this, output, this.request, this.isRequestSent && this.protocol === undefined);
    this.opened();
    this.#settle();
  }

  tunnelRefused(): void {
    this.fail("HEMI_BACKEND_BROKEN", "it takes no tunnels over HTTP/3 (SETTINGS_ENABLE_CONNECT_PROTOCOL)", {
      isUnseen: true,
    });
  }

  protected writeContent(piece: Uint8Array, done?: () => void): boolean {
    if (this.#granted === undefined || piece.length === 0) return true;
    const { conn, output } = this.#granted;
    output.writeData(piece);
    // QUIC has its own copy of what it takes. A piece that has to wait is left to the collector.
    if (!output.isBlocked) done?.();
    conn.written(this, output);
    this.#outputMoved();
    return !output.isBlocked;
  }

  protected drained(): Promise<void> {
    if (this.#granted?.output.isBlocked !== true) return Promise.resolve();
    this.#writable ??= Promise.withResolvers<void>();
    return this.#writable.promise;
  }

  protected writeEnd(trailers: Fields): void {
    if (this.#granted === undefined) return;
    const { conn, output } = this.#granted;
    if (trailers.count > 0) conn.sendTrailers(this, output, passedFields(trailers, notInTrailers));
    else {
      output.endMessage(true);
      conn.written(this, output);
    }
    this.#outputMoved();
  }

  /** Sends on what waits. */
  flush(): void {
    if (this.#granted === undefined) return;
    const { conn, output } = this.#granted;
    if (output.flush() === 0 && !output.isStopped && output.isBlocked) return;
    conn.written(this, output);
    this.#outputMoved();
  }

  // ---- what the connection tells ----

  /** Something has come on its stream. Throws the errors of the connection. */
  arrived(): void {
    if (this.#granted === undefined) return;
    const { stream } = this.#granted;
    if (this.head === undefined) {
      stream.readHead();
      if (stream.isHeadMissing) return this.malformed("it ended the stream without a response");
    }
    if (this.#tunnel !== undefined) return this.#tunnel.arrived();
    if (this.head === undefined || this.state === "over") return;
    if (this.isHeld) stream.isBehind = true;
    else this.#readContent();
  }

  /** A head has come. */
  answered(head: MultiplexedResponseHead): void {
    if (head.status < 200) return this.takeInterim(head, false);
    if (this.tunnelRequest !== undefined && head.status < 300) return this.#leaveHTTP(head);
    this.head = head;
  }

  /** The node gives the stream up. */
  reset(code: number): void {
    const isUnseen = code === errorCode.requestRejected && this.head === undefined;
    if (isUnseen) return this.fail("HEMI_BACKEND_BROKEN", "it rejected the request, unseen", { isUnseen });
    const hint = code === errorCode.versionFallback ? ": it wants HTTP/1 for this; see http1Backend" : "";
    this.malformed(`it reset the stream with ${errorName(code)}${hint}`);
  }

  /** The node has said that it did not look at the request. */
  passedOver(reason: string): void {
    this.#tunnel?.broken(new Error(reason));
    this.fail("HEMI_BACKEND_BROKEN", reason, { isUnseen: this.head === undefined });
  }

  /** The connection is gone. `isSilent`: the node does not even answer a PING. */
  broken(isSilent: boolean, reason: string | undefined): void {
    const isStale = this.#readBefore === this.#granted?.conn.readings && this.head === undefined;
    this.#granted = undefined;
    this.#tunnel?.broken(new Error(reason ?? "the connection to the node was closed"));
    if (isSilent) this.fail("HEMI_TIMEOUT", reason ?? "");
    else this.lostConn(reason, isStale);
  }

  /** What the node sent is wrong, or breaks off. */
  malformed(reason: string): void {
    this.#tunnel?.broken(new Error(reason));
    this.fail("HEMI_BACKEND_BROKEN", reason);
  }

  // ---- the answer ----

  protected resumed(): void {
    this.#granted?.conn.guarded(() => {
      this.#givePieces();
      if (this.state === "content" && !this.isHeld) this.#readContent();
    });
  }

  /** Reads for as long as something is there and the taker wants it. */
  #readContent(): void {
    for (;;) {
      const isMore = this.#fetch();
      if (this.#granted === undefined) return;
      const { stream } = this.#granted;
      if (this.isLengthWrong(stream.received, stream.isWhole)) {
        return this.malformed("its content is not as long as it said");
      }
      if (stream.isWhole && !this.isHeadGiven && stream.trailers.count === 0) {
        return this.giveWhole(joined(this.#pieces));
      }
      this.giveHead();
      this.#givePieces();
      // The taker may have given it up.
      if (this.state !== "content" || this.isHeld) return this.#settle();
      if (stream.isWhole) return this.giveEnd(stream.trailers);
      if (!isMore) return this.#settle();
    }
  }

  /** Reads some pieces. False: there is nothing more. */
  #fetch(): boolean {
    for (let size = 0; size < maxFetched && this.#granted !== undefined;) {
      const piece = this.#granted.stream.takePiece();
      if (piece === undefined) return false;
      size += piece.length;
      this.#pieces.push(piece);
      // Frames of a few bytes: a long list of them would cost far more than their bytes.
      if (this.#pieces.length > maxPieces) this.#pieces = [joined(this.#pieces)];
    }
    return true;
  }

  #givePieces(): void {
    while (this.state === "content" && !this.isHeld) {
      const piece = this.#pieces.shift();
      if (piece === undefined) return;
      if (!this.taker.content(piece)) this.isHeld = true;
    }
  }

  #leaveHTTP(head: MultiplexedResponseHead): void {
    const taker = this.tunnelRequest?.taker;
    const granted = this.#granted;
    if (taker === undefined || granted === undefined) return;
    const { conn, stream, output } = granted;
    this.head = head;
    this.waitsUntil = Infinity;
    this.#tunnel = new Http3NodeTunnel({
      stream,
      output,
      guarded: (run) => conn.guarded(run),
      written: () => conn.written(this, output),
      drained: () => this.drained(),
      over: () => conn.forget(this, stream, output),
    });
    this.becameTunnel(this.#tunnel.duplex);
    taker.switched(head, this.#tunnel.duplex);
  }

  // ---- the end ----

  protected release(): void {
    const granted = this.#granted;
    this.#pieces = [];
    this.#writable?.resolve();
    this.#writable = undefined;
    if (granted === undefined) this.source?.forget(this);
    else granted.conn.forget(this, granted.stream, granted.output);
    this.#granted = undefined;
  }

  /** Some of what was written has been taken, or the node takes no more of it. */
  #outputMoved(): void {
    const output = this.#granted?.output;
    if (output === undefined) return;
    // The node has seen enough of the request; its response may still come (RFC 9114 4.1).
    if (output.isStopped) {
      this.isRequestSent = true;
      output.drop();
    }
    if (!output.isBlocked) {
      this.#writable?.resolve();
      this.#writable = undefined;
    }
    this.#settle();
  }

  /** The client has a limit of its own where it is the one who is waited for. */
  #settle(): void {
    if (this.#granted === undefined || this.#tunnel !== undefined || this.state === "over") return;
    const { conn, output } = this.#granted;
    if (output.isBlocked) conn.waitFor(this, "write");
    else if (this.isHeld || !this.isRequestSent) this.waitsUntil = Infinity;
    else conn.waitFor(this, "read");
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first = nothing] = pieces;
  return pieces.length > 1 ? Buffer.concat(pieces) : first;
}

const nothing = Buffer.alloc(0);

/** In bytes: what is read before it is given on. */
const maxFetched = 64 * 1024;
/** More pieces than this become one. */
const maxPieces = 64;
