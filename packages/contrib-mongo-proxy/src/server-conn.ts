// A connection to a server, for one client.

import type { BackendFailure, DialUser, DialWish, Link, LinkUser, TcpsBackend } from "@hemi/internal";
import { MessageReader, ProtocolError } from "./protocol/messages.ts";

export interface ServerConnOptions {
  readonly backend: TcpsBackend;
  readonly wish: DialWish;
  readonly maxMessageSize: () => number;
  readonly connected: (node: string) => void;
  /** A whole message. The bytes may be kept. */
  readonly message: (message: Buffer) => void;
  /** What was written has been passed on, after a `write` that returned false. */
  readonly drained: () => void;
  /** It is closed, and not by `close`. */
  readonly lost: (reason: string) => void;
  readonly log: (failure: string) => void;
}

export class ServerConn implements DialUser, LinkUser {
  readonly #options: ServerConnOptions;
  readonly #reader: MessageReader;
  readonly #tried: string[] = [];
  #dialling: { cancel(): void } | undefined;
  #link: Link | undefined;
  /** What waits until the connection stands. */
  #unsent: Buffer[] = [];
  #isHeld = false;
  #isOver = false;

  constructor(options: ServerConnOptions) {
    this.#options = options;
    this.#reader = new MessageReader(options.maxMessageSize, (message) => {
      if (!this.#isOver) options.message(message);
    });
  }

  dial(): void {
    const { backend, wish } = this.#options;
    this.#dialling = backend.dial({ ...wish, tried: this.#tried }, this);
  }

  /** Returns false if the server reads too slowly, or is not connected to yet. */
  write(message: Buffer): boolean {
    if (this.#link !== undefined) return this.#link.write(message, false);
    this.#unsent.push(message);
    return false;
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#link?.hold(isHeld);
  }

  get isSlow(): boolean {
    return this.#link === undefined || this.#link.needsDrain;
  }

  close(): void {
    this.#isOver = true;
    this.#dialling?.cancel();
    this.#link?.destroy();
  }

  connected(link: Link, node: string): void {
    this.#link = link;
    link.use(this);
    link.hold(this.#isHeld);
    this.#options.connected(node);
    const unsent = this.#unsent;
    this.#unsent = [];
    if (link.write(Buffer.concat(unsent), false)) this.#options.drained();
  }

  failed(failure: BackendFailure): void {
    this.#options.log(failure.message);
    if (failure.node !== "") this.#tried.push(failure.node);
    const mayRetry = failure.node !== "" && this.#options.backend.whyNoRetry(this.#tried) === undefined;
    if (mayRetry && !this.#isOver) this.dial();
    else this.#lost("no server can be reached");
  }

  nodeDown(): void {
    this.#lost("the server is down");
  }

  received(bytes: Buffer, isShared: boolean): void {
    if (this.#isOver) return;
    try {
      this.#reader.add(bytes, isShared);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#options.log(`it sent ${error.message}`);
      this.#lost("the server sent something malformed");
    }
  }

  ended(): void {
    this.#lost("the server closed the connection");
  }

  drained(): void {
    this.#options.drained();
  }

  closed(): void {
    this.#lost("the server closed the connection");
  }

  #lost(reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.#options.lost(reason);
  }
}
