// An open WebSocket (RFC 6455).
//
//  open ── close() ──> closing ── the client's close frame ──> closed
//    │                    └────── closeTimeout ─────────────────^
//    ├── the client's close frame, which is answered ───────────┤
//    └── no pong, bad frames, too much unsent, lost connection ─┘   (1006 without a close frame)
//
// The package `ws` parses and builds the frames.

import type { Duplex } from "node:stream";
import { guarded, isPromiseLike, quietly } from "@hemi/common";
import { ExchanError } from "../../http/exchan-error.ts";
import type { Extensions, Frames, Receiver, Sender } from "./frames.ts";
import type { WebSocketSettings } from "./websocket-props.ts";

/** The events of a WebSocket. */
export interface WebSocketEvents {
  /**
   * A message: text as a string, otherwise bytes. If it returns a promise, the next message waits for it, and the
   * client is paused. An error closes with 1011.
   */
  message(message: string | Uint8Array, ws: WebSocket): void | Promise<void>;
  /**
   * The WebSocket is closed. Codes as in RFC 6455 7.4.1; 1005: the client sent none, 1006: there was no close frame.
   * Called once. A returned promise is not awaited, but its rejection is logged, as is a thrown error.
   */
  close?(code: number, reason: string, ws: WebSocket): void;
}

/** The base of an open WebSocket. */
export interface WebSocketBase {
  readonly stream: Duplex;
  readonly subprotocol: string;
  readonly extensions: Extensions;
  /** The classes that parse and build frames. */
  readonly frames: Pick<Frames, "Receiver" | "Sender">;
  readonly settings: WebSocketSettings;
  /** Reports errors of handlers, and clients that had to be disconnected. */
  failed(error: unknown): void;
  note(reason: string): void;
}

/** A WebSocket with a client: sends messages and receives them. */
export class WebSocket {
  /** The selected subprotocol, "" for none. */
  readonly subprotocol: string;
  readonly #base: WebSocketBase;
  readonly #events: WebSocketEvents;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  /** The timer of the current wait: for data, a pong, or the end. */
  #timer: NodeJS.Timeout | undefined;
  #state: "open" | "closing" | "closed" = "open";
  /** The close code that the client sent. */
  #code = 1006;
  #reason = "";
  /** Whether data was received or read since the timer was set. */
  #hasHeard = false;
  #isPinged = false;
  /** Messages that arrived while a handler was running, and their size. */
  readonly #waiting: (string | Uint8Array)[] = [];
  #waitingSize = 0;
  #isHandling = false;
  /** In bytes, of messages that are being compressed. */
  #compressing = 0;
  #drained: PromiseWithResolvers<void> | undefined;

  /** For `Upgrade`. */
  constructor(base: WebSocketBase, events: WebSocketEvents) {
    const { stream, extensions, frames, settings } = base;
    this.subprotocol = base.subprotocol;
    this.#base = base;
    this.#events = events;
    this.#receiver = new frames.Receiver({
      isServer: true,
      extensions,
      maxPayload: settings.maxMessageSize,
      maxFragments: settings.maxFragments,
      // The limit for messages in tiny pieces: each piece is kept as a separate buffer.
      maxBufferedChunks: 16 * 1024,
    });
    this.#sender = new frames.Sender(stream, extensions);
    this.#sender.onerror = () => stream.destroy();
    this.#waitForSign(settings.pingInterval);
    this.#receiver
      .on("message", (message, isBinary) => this.#received(isBinary ? message : message.toString("utf8")))
      .on("ping", (content) => this.#answerPing(content))
      .on("conclude", (code, reason) => this.#concluded(code, reason.toString("utf8")))
      .on("error", (error) => this.#fail(closeCodes[error.code ?? ""] ?? 1002, error.message))
      .on("drain", () => this.#settle());
    stream
      .on("data", (chunk: Buffer) => this.#take(chunk))
      .on("end", () => stream.end())
      .on("drain", () => this.#unblocked())
      .on("error", noop)
      .on("close", () => this.#closed())
      .resume();
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /**
   * Sends strings as text and bytes as binary. If it returns a promise, the client is slow: await it before the next
   * message. It rejects with HEMI_PEER_GONE. When the WebSocket is closing, messages are discarded, and the promise
   * rejects.
   */
  send(message: string | Uint8Array): void | Promise<void> {
    if (this.#state !== "open") return quietly(Promise.reject(gone()));
    const { stream, extensions, settings } = this.#base;
    const compress = extensions["permessage-deflate"] !== undefined;
    const options = { binary: typeof message !== "string", compress, fin: true, mask: false };
    if (compress) {
      const { length } = message;
      this.#compressing += length;
      this.#sender.send(message, options, () => (this.#compressing -= length));
    } else this.#sender.send(message, options);
    const unsent = stream.writableLength + this.#compressing;
    if (unsent > settings.maxUnsentSize) {
      this.#base.note(`it takes nothing, and ${unsent} bytes of messages wait for it: await send()`);
      this.destroy();
      return quietly(Promise.reject(gone()));
    }
    if (!stream.writableNeedDrain) return undefined;
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers<void>();
      void quietly(this.#drained.promise);
    }
    return this.#drained.promise;
  }

  /**
   * Sends a close frame with a code from 1000 to 1003, 1007 to 1014 or 3000 to 4999, and a reason of at most 123 bytes.
   * Calling it twice is harmless.
   */
  close(code = 1000, reason = ""): void {
    if (this.#state !== "open") return;
    this.#sender.close(code, reason, false);
    this.#sayGoodbye();
  }

  /** Aborts the connection, without a close frame. */
  destroy(): void {
    this.#base.stream.destroy();
  }

  // ---- input ----

  #take(chunk: Buffer): void {
    this.#hasHeard = true;
    this.#receiver.write(chunk);
    this.#settle();
  }

  /** Resumes or pauses reading. */
  #settle(): void {
    if (this.#isHandling || this.#receiver.writableNeedDrain) this.#base.stream.pause();
    else this.#base.stream.resume();
  }

  #received(message: string | Uint8Array): void {
    if (this.#state !== "open") return;
    if (!this.#isHandling) return this.#handle(message);
    this.#waiting.push(message);
    this.#waitingSize += message.length;
    // The socket is paused; only highly compressed data can expand to this much from the data that had already arrived.
    const { maxMessageSize } = this.#base.settings;
    if (this.#waitingSize > maxWaitingMessages * maxMessageSize) this.#fail(1008, "too many messages at once");
  }

  #handle(message: string | Uint8Array): void {
    let handled: unknown;
    try {
      handled = this.#events.message(message, this);
    } catch (error) {
      return this.#failed(error);
    }
    if (!isPromiseLike(handled)) return;
    this.#isHandling = true;
    handled.then(
      () => this.#handled(),
      (error: unknown) => this.#failed(error),
    );
  }

  #handled(): void {
    this.#isHandling = false;
    while (!this.#isHandling) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      this.#waitingSize -= message.length;
      this.#handle(message);
    }
    this.#settle();
  }

  #answerPing(content: Buffer): void {
    // Pongs are skipped for pings that the client does not read: a client that only sends pings must not fill the
    // memory.
    if (this.#state === "open" && !this.#base.stream.writableNeedDrain) this.#sender.pong(content, false);
  }

  // ---- its end ----

  /** The client sent a close frame. */
  #concluded(code: number, reason: string): void {
    this.#code = code;
    this.#reason = reason;
    if (this.#state === "open") {
      this.#sender.close(code === 1005 ? undefined : code, "", false);
      this.#sayGoodbye();
    }
    // The server closes the connection first (RFC 6455 7.1.1).
    this.#base.stream.end().resume();
  }

  /** The client violated the protocol or a limit. */
  #fail(code: number, reason: string): void {
    this.#base.note(`it was sent away with ${code}: ${reason}`);
    this.close(code, reason);
    // Later input can no longer be parsed.
    this.#base.stream.removeAllListeners("data").end().resume();
  }

  #failed(error: unknown): void {
    // The error only reports that the client has gone.
    if (!(error instanceof ExchanError && error.code === "HEMI_PEER_GONE")) this.#base.failed(error);
    this.#waiting.length = 0;
    this.close(1011);
    this.#isHandling = false;
    this.#settle();
  }

  #sayGoodbye(): void {
    this.#state = "closing";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.destroy(), this.#base.settings.closeTimeout);
  }

  #closed(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#endReceiver();
    this.#drained?.reject(gone());
    guarded(
      () => this.#events.close?.(this.#code, this.#reason, this),
      (error) => this.#base.failed(error),
    );
  }

  /**
   * Further output of the receiver is ignored. But a message that is being inflated is inflated to its end: the
   * callback of `ws` reads state that `cleanup` removes, and would throw; and one of the ten inflate slots of `ws`
   * would be lost.
   */
  #endReceiver(): void {
    const receiver = this.#receiver;
    const cleanUp = (): void => this.#base.extensions["permessage-deflate"]?.cleanup();
    receiver.removeAllListeners().on("error", cleanUp).on("finish", cleanUp);
    if (receiver.writableFinished || receiver.errored !== null) cleanUp();
    else receiver.end();
  }

  // ---- timeouts ----

  #unblocked(): void {
    this.#hasHeard = true;
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.resolve();
  }

  #waitForSign(duration: number): void {
    this.#timer = setTimeout(() => this.#checkLife(), duration);
  }

  #checkLife(): void {
    const { pingInterval, pongTimeout } = this.#base.settings;
    // While a handler processes a message, nothing is read, so nothing can be received; but the handler may wait for
    // the client to read something.
    const isDeaf = this.#isHandling && !this.#base.stream.writableNeedDrain;
    if (this.#hasHeard || isDeaf) {
      this.#hasHeard = this.#isPinged = false;
      this.#waitForSign(pingInterval);
    } else if (!this.#isPinged) {
      this.#isPinged = true;
      this.#sender.ping("", false);
      this.#waitForSign(pongTimeout);
    } else {
      this.#base.note(`it gave no sign of life for ${pingInterval + pongTimeout} ms`);
      this.destroy();
    }
  }
}

/** The close codes for errors that `ws` finds; any other error is a protocol error, 1002. */
const closeCodes: { readonly [code: string]: number | undefined } = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

/** Messages of maximum size that may wait while a handler runs. Not a prop: the socket is paused meanwhile. */
const maxWaitingMessages = 4;

function gone(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the WebSocket is closed");
}

function noop(): void {}
