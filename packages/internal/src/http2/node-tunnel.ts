// The tunnel to an HTTP/2 server that has granted to leave HTTP on a request's stream (RFC 9113 8.5, RFC 8441): what
// the frames of the stream bring is given to whoever reads the tunnel, and what is written to it is sent on the stream.

import type { Duplex } from "node:stream";
import type { ReceivedContent } from "./received-content.ts";
import type { RequestHeads } from "./request-heads.ts";
import type { Sender, SendingStream } from "./sender.ts";
import { StreamTunnel, type TunnelWire } from "../http/stream-tunnel.ts";

/** The exchan whose stream it is. */
export interface TunnelledExchan extends SendingStream {
  /** Settles when more may be sent. */
  drained(): Promise<void>;
}

/** The connection that the stream is on. */
export interface TunnelConn<Exchan extends TunnelledExchan> {
  readonly sender: Sender<RequestHeads>;
  /** The node takes less than it is sent, or nothing any more. */
  readonly isBlocked: boolean;
  /** So much of what has come has been taken, in bytes: the node may send more. */
  contentTaken(exchan: Exchan, size: number): void;
  /** The stream is not wanted any more. */
  cancel(exchan: Exchan): void;
}

export class Http2NodeTunnel<Exchan extends TunnelledExchan> implements TunnelWire {
  /** For who has the tunnel. */
  readonly stream: Duplex;
  readonly #exchan: Exchan;
  readonly #conn: TunnelConn<Exchan>;
  readonly #content: ReceivedContent;
  /** Who waits for more to come. */
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(exchan: Exchan, conn: TunnelConn<Exchan>, content: ReceivedContent) {
    this.#exchan = exchan;
    this.#conn = conn;
    this.#content = content;
    this.stream = new StreamTunnel(this);
  }

  // ---- what the node does ----

  /** More has come; nothing follows if `isEnd`. */
  contentArrived(piece: Buffer, isEnd: boolean): void {
    const reader = this.#reader;
    if (piece.length === 0 && !isEnd) return;
    if (reader === undefined) return piece.length > 0 ? this.#content.keep(piece, 0, piece.length) : undefined;
    this.#reader = undefined;
    if (piece.length > 0) this.#conn.contentTaken(this.#exchan, piece.length);
    reader.resolve(piece.length > 0 ? piece : undefined);
  }

  /** The stream, or its connection, is gone. */
  broken(why: Error): void {
    this.#reader?.reject(why);
    this.#reader = undefined;
    this.stream.destroy(why);
  }

  // ---- what its stream asks for ----

  readContent(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const piece = this.#content.take();
    if (piece !== undefined) {
      this.#conn.contentTaken(this.#exchan, piece.length);
      return piece;
    }
    if (this.#content.isWhole) return undefined;
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  sendContent(piece: Uint8Array): boolean {
    this.#conn.sender.sendContent(this.#exchan, piece, false);
    return this.#exchan.queue === undefined && !this.#conn.isBlocked;
  }

  writable(): Promise<void> {
    return this.#exchan.drained();
  }

  endContent(): void {
    this.#conn.sender.end(this.#exchan, []);
  }

  cancel(): void {
    this.#conn.cancel(this.#exchan);
  }
}
