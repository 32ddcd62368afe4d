// The socket that an app sees. The real one is the engine's, carries other exchans too, or is none at all in HTTP/2; this one
// lives as long as its exchan, knows the client's address, and breaks the exchan off when it is destroyed.

import { Socket } from "node:net";
import type { Request as HemiRequest } from "@hemi/internal";

export interface SocketOwner {
  /** The app has destroyed the socket. */
  breakOff(): void;
  /** What `setTimeout` was asked for: nothing was written for so long. */
  timedOut(): void;
}

export class NodeSocket extends Socket {
  /** As in `tls.TLSSocket`; missing without TLS. */
  declare readonly encrypted?: true;
  readonly #peer: HemiRequest["peer"];
  readonly #owner: SocketOwner;

  constructor(req: HemiRequest, owner: SocketOwner) {
    super();
    this.#peer = req.peer;
    this.#owner = owner;
    if (req.scheme === "https") Object.defineProperty(this, "encrypted", { value: true });
  }

  /** For what the types of Node.js declare as properties. */
  static {
    const getters: { readonly [name: string]: (this: NodeSocket) => unknown } = {
      remoteAddress() {
        return this.#peer.address === "" ? undefined : this.#peer.address;
      },
      remotePort() {
        return this.#peer.address === "" ? undefined : this.#peer.port;
      },
      remoteFamily() {
        const { address } = this.#peer;
        return address === "" ? undefined : address.includes(":") ? "IPv6" : "IPv4";
      },
    };
    for (const [name, get] of Object.entries(getters)) {
      Object.defineProperty(this.prototype, name, { configurable: true, enumerable: true, get });
    }
  }

  /** Whoever destroys it with an error need not listen for that: it is told to those who asked. */
  override destroy(error?: Error): this {
    if (this.destroyed) return this;
    super.destroy(this.listenerCount("error") > 0 ? error : undefined);
    this.#owner.breakOff();
    return this;
  }

  override setTimeout(time: number, callback?: () => void): this {
    if (this.timeout === undefined) this.on("timeout", () => this.#owner.timedOut());
    return super.setTimeout(time, callback);
  }

  /** The app has sent something: what `setTimeout` waits for begins anew. */
  refreshTimeout(): void {
    if (this.timeout !== undefined && this.timeout > 0) super.setTimeout(this.timeout);
  }

  /** The exchan is over: who waits for the end of the connection hears of it. */
  retire(): void {
    if (this.timeout !== undefined || this.listenerCount("close") > 0) this.destroy();
  }
}
