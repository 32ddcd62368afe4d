// The socket that an app sees. The real one is the engine's, carries other exchans too, or is none at all in HTTP/2;
// this one belongs to one exchan at a time, knows the client's address, and breaks the exchan off when it is destroyed.
//
//   made ──> of an exchan ──────────── its end ───────────────> idle ── the next exchan of that connection takes it over
//                └── destroyed, or its end awaited ──> closed
//
// As on a server of Node.js, an app finds the same one in each request of a connection, unless it has destroyed it.
// That saves more than the making: the closure that each writable stream stores as its `onwrite` lets it, and the
// exchan behind it, outlive scavenges (V8 13.6), and V8 then widens the young generation from 4 MB to 64, past the
// caches of the processor.

import { type AddressInfo, Socket } from "node:net";
import type { Request as HemiRequest } from "@hemi/internal";
import { type FailureOwner, guardListeners } from "@hemi/common";
import { tlsFactsKey, tlsMembers } from "./tls-members.ts";

type Peer = HemiRequest["peer"];

export interface SocketOwner extends FailureOwner {
  /** The app has destroyed the socket. */
  breakOff(): void;
  /** What `setTimeout` was asked for: nothing was written for so long. */
  timedOut(): void;
}

type Callback = (error?: Error | null) => void;

export class NodeSocket extends Socket implements FailureOwner {
  /** With the rest of `TlsMembers`; missing without TLS. */
  declare readonly encrypted?: true;
  readonly [tlsFactsKey]: HemiRequest["tls"];
  readonly #peer: Peer;
  /** None while it is idle. */
  #owner: SocketOwner | undefined;

  /** One of the client's connection that no exchan has, or a new one. */
  static take(req: HemiRequest, owner: SocketOwner): NodeSocket {
    const idle = idleSockets.get(req.peer)?.pop();
    // The scheme of HTTP/2 without TLS is the word of the one who sends the request.
    const isRight = idle?.writable === true && "encrypted" in idle === (req.scheme === "https");
    if (!isRight) return new NodeSocket(req, owner);
    idle.#owner = owner;
    return idle;
  }

  constructor(req: HemiRequest, owner: SocketOwner) {
    super();
    guardListeners(this, this);
    this[tlsFactsKey] = req.tls;
    this.#peer = req.peer;
    this.#owner = owner;
    if (req.scheme === "https") Object.defineProperties(this, tlsMembers);
  }

  /** For what the types of Node.js declare as properties. */
  static {
    const getters: { readonly [name: string]: (this: NodeSocket) => unknown } = {
      remoteAddress() {
        return unlessEmpty(this.#peer.address);
      },
      remotePort() {
        return this.#peer.address === "" ? undefined : this.#peer.port;
      },
      remoteFamily() {
        return familyOf(this.#peer.address);
      },
      localAddress() {
        return unlessEmpty(this.#peer.local?.address);
      },
      localPort() {
        return unlessEmpty(this.#peer.local?.address) && this.#peer.local?.port;
      },
      localFamily() {
        return familyOf(this.#peer.local?.address);
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
    this.#owner?.breakOff();
    return this;
  }

  override address(): AddressInfo | Record<string, never> {
    const { localAddress: address, localPort: port, localFamily: family } = this;
    if (address === undefined || port === undefined || family === undefined) return {};
    return { address, family, port };
  }

  override setTimeout(time: number, callback?: () => void): this {
    if (this.timeout === undefined) this.on("timeout", () => this.#owner?.timedOut());
    return super.setTimeout(time, callback);
  }

  override write(chunk: string | Uint8Array, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    if (typeof encoding === "function") return this.write(chunk, undefined, encoding);
    return super.write(chunk, encoding, callback && this.#guarded(callback));
  }

  override end(
    chunk?: string | Uint8Array | Callback,
    encoding?: BufferEncoding | Callback,
    callback?: Callback,
  ): this {
    if (typeof chunk === "function") return super.end(this.#guarded(chunk));
    if (typeof encoding === "function") return this.end(chunk, undefined, encoding);
    const guarded = callback && this.#guarded(callback);
    // Without content an end may come again, as libraries let it: "" would be a write after the end.
    return chunk === undefined ? super.end(guarded) : super.end(chunk, encoding, guarded);
  }

  /** The app has sent something: what `setTimeout` waits for begins anew. */
  refreshTimeout(): void {
    if (this.timeout !== undefined && this.timeout > 0) super.setTimeout(this.timeout);
  }

  /** The exchan is over: who waits for the end of the connection hears of it. */
  retire(): void {
    // Its owner stays, and hears what listeners of "close" throw.
    if (this.timeout !== undefined || this.listenerCount("close") > 0) this.destroy();
    if (!this.writable) return;
    this.#owner = undefined;
    const idle = idleSockets.get(this.#peer);
    if (idle === undefined) idleSockets.set(this.#peer, [this]);
    else idle.push(this);
  }

  #guarded(callback: Callback): Callback {
    return (error) => {
      try {
        callback(error);
      } catch (thrown) {
        this.fail(thrown);
      }
    };
  }

  /** While it is idle, only who has kept it and calls it comes here: what that causes it may have. */
  fail(error: unknown): void {
    if (this.#owner === undefined) throw error;
    this.#owner.fail(error);
  }
}

/** That of a UNIX socket is empty. */
function unlessEmpty(address: string | undefined): string | undefined {
  return address === "" ? undefined : address;
}

function familyOf(address: string | undefined): "IPv4" | "IPv6" | undefined {
  if (address === undefined || address === "") return undefined;
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** By the other end of the connection. In HTTP/2, as many as it had exchans at once. */
const idleSockets = new WeakMap<Peer, NodeSocket[]>();
