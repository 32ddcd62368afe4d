// The bytes to and from a client: directly, or through TLS that the client has asked for within the protocol.

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import { guarded } from "@hemi/common";
import type { Link, LinkUser } from "../../net/link.ts";

/** As much of a `Link` as a session uses. */
export type ClientPipe = Pick<Link, "isDestroyed" | "write" | "hold" | "end">;

/** TLS over a link. What the link receives has to be given to `received`. */
export class SecurePipe implements ClientPipe {
  readonly #link: Link;
  readonly #raw: LinkStream;
  readonly #socket: TLSSocket;

  /** `user` learns what comes out of the handshake and behind it; `failed`: there is no TLS. */
  constructor(link: Link, secureContext: SecureContext, user: LinkUser, failed: (error: Error) => void) {
    this.#link = link;
    this.#raw = new LinkStream(link);
    this.#socket = new TLSSocket(this.#raw, { isServer: true, secureContext });
    const tell = (what: () => unknown): void => guarded(what, (thrown) => link.breakOff(thrown));
    this.#socket.on("data", (bytes: Buffer) => tell(() => user.received(bytes, false)));
    this.#socket.on("drain", () => tell(() => user.drained()));
    this.#socket.on("end", () => tell(() => user.ended()));
    this.#socket.on("error", failed);
  }

  get isDestroyed(): boolean {
    return this.#link.isDestroyed || this.#socket.destroyed;
  }

  /** The link has received these bytes. They are copied. */
  received(bytes: Buffer): void {
    this.#raw.received(bytes);
  }

  /** The link has passed on what was written to it. */
  drained(): void {
    this.#raw.drained();
  }

  /** The client sends nothing more. */
  ended(): void {
    this.#raw.push(null);
  }

  /** The link is closed. */
  closed(): void {
    this.#socket.destroy();
  }

  write(bytes: Buffer, isShared: boolean): boolean {
    return this.#socket.write(isShared ? Buffer.from(bytes) : bytes);
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  end(): void {
    this.#socket.end(() => this.#link.end());
  }
}

/** A link as a stream, for TLS. */
class LinkStream extends Duplex {
  readonly #link: Link;
  /** Waits until the link has passed on what was written. */
  #written: (() => void) | undefined;

  constructor(link: Link) {
    super();
    this.#link = link;
  }

  received(bytes: Buffer): void {
    if (!this.push(Buffer.from(bytes))) this.#link.hold(true);
  }

  drained(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  override _read(): void {
    if (!this.#link.isDestroyed) this.#link.hold(false);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#link.isDestroyed || this.#link.write(chunk, false)) done();
    else this.#written = done;
  }
}
