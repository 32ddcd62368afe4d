// Relays datagrams for one client of socksServer (RFC 1928 7).
//
//  client ── head, content ──> socket ── judged ──> association of udpsOutgate ── content ──> target
//         <── head, content ──                                               <── content ──

import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import { type Association, type Context, type Endpoint, plainAddress, udpsOutgate } from "@hemi/internal";
import { addressBytes, readDatagram } from "./socks-address.ts";
import { datagramTarget, type Target } from "./target.ts";
import type { SocksSettings } from "./socks-props.ts";

export class SocksRelay {
  readonly #context: Context<SocksSettings>;
  readonly #client: string;
  readonly #socket: Socket;
  readonly #local: string;
  #association: Association | undefined;
  /** The port of the client: that of its first datagram. */
  #port: number | undefined;
  /** Where datagrams for a host go; an empty address: nowhere. */
  readonly #targets = new LRUCache<string, Endpoint>({ max: 256 });
  /** Datagrams whose names are being looked up. */
  #waiting = 0;
  #hasMoved = false;
  #isClosed = false;

  /** `client` is the address whose datagrams are taken, `local` the one where they come. */
  constructor(context: Context<SocksSettings>, client: string, local: string) {
    this.#context = context;
    this.#client = plainAddress(client);
    this.#local = plainAddress(local);
    this.#socket = createSocket(isIPv6(this.#local) ? "udp6" : "udp4");
  }

  open(bound: (local: Endpoint) => void, failed: () => void): void {
    this.#association = this.#context.stage
      .outgate(udpsOutgate)
      .associate(this.#client, (content, from) => this.#answer(content, from));
    if (this.#association === undefined) return failed();
    this.#socket.on("error", () => undefined);
    this.#socket.on("message", (bytes, from) => this.#received(bytes, from));
    this.#socket.bind({ address: this.#local, port: 0, exclusive: true }, () => bound(this.#socket.address()));
  }

  /** Whether nothing has moved since this was asked for the last time. */
  isIdle(): boolean {
    const isIdle = !this.#hasMoved;
    this.#hasMoved = false;
    return isIdle;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#association?.close();
    this.#socket.close();
  }

  #received(bytes: Buffer, from: Endpoint): void {
    if (plainAddress(from.address) !== this.#client || (this.#port ?? from.port) !== from.port) return;
    const datagram = readDatagram(bytes);
    // Nothing can be answered to port 0.
    if (datagram === undefined || from.port === 0) return;
    this.#port = from.port;
    this.#hasMoved = true;
    const { to, content } = datagram;
    const known = this.#targets.get(keyOf(to));
    if (known !== undefined) this.#send(content, known);
    else if (this.#waiting < maxWaiting) void this.#sendAfterLookup(content, to);
  }

  async #sendAfterLookup(content: Buffer, to: Target): Promise<void> {
    this.#waiting++;
    try {
      const target = await datagramTarget(this.#context, to);
      const endpoint = typeof target === "string" ? { address: "", port: 0 } : target;
      this.#targets.set(keyOf(to), endpoint);
      this.#send(content, endpoint);
    } catch (error) {
      this.#context.log.error("failed at a datagram", { error });
    } finally {
      this.#waiting--;
    }
  }

  #send(content: Buffer, to: Endpoint): void {
    if (!this.#isClosed && to.address !== "") this.#association?.send(content, to);
  }

  #answer(content: Buffer, from: Endpoint): void {
    if (this.#isClosed || this.#port === undefined) return;
    this.#hasMoved = true;
    this.#socket.send([Buffer.of(0, 0, 0), addressBytes(from), content], this.#port, this.#client);
  }
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}

/** Not a prop: further datagrams are lost, as on any network. */
const maxWaiting = 64;
