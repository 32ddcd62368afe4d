// Passes packets on between the workers of a program, which share a port. The kernel assigns clients to workers by
// their addresses, and assigns them anew whenever a worker comes or goes, as in a rework.
//
//   a packet of an unknown connection ── its ID names another worker ──> that worker
//   the first packet of a connection ─── this worker drains ───────────> the worker that has come last
//
// Each worker receives at a port of the loopback, from ports of workers that it has heard of: what others send there
// is dropped, because it would come with an address that nobody has checked. Nothing is sent to other ports either: the
// check of a connection ID is short, and who tries IDs for long enough finds some that name any port.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { maxSendQueue, numericOnly, receiveBuffer, type Endpoint, type Workers } from "@hemi/internal";
import { ConnIds } from "./conn-ids.ts";

export interface WorkerRelayOptions {
  readonly workers: Pick<Workers, "broadcast" | "subscribe">;
  /** That all workers have. */
  readonly secret: Buffer;
  /** Names the server: workers pass packets on to the same one. */
  readonly server: string;
  /** Another worker has received a packet for this one, at the public address `local`. */
  readonly received: (datagram: Buffer, from: Endpoint, local: Endpoint) => void;
}

/** What workers tell each other. */
interface Announcement {
  readonly port: number;
  /** Whether it takes new connections. */
  readonly isOpen: boolean;
  /** It wants to hear of the others. */
  readonly isNew: boolean;
  /** Its port is closed. */
  readonly isGone: boolean;
}

export class WorkerRelay {
  readonly ids: ConnIds;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #topic: string;
  readonly #workers: WorkerRelayOptions["workers"];
  readonly #unsubscribe: () => void;
  /** The ports of the other workers. That of a worker that has crashed stays. */
  readonly #known = new Set<number>();
  /** Those that take new connections, in the order of their coming. */
  readonly #open = new Set<number>();
  #isOpen = false;

  private constructor(socket: Socket, { workers, secret, server, received }: WorkerRelayOptions) {
    this.#socket = socket;
    this.#port = socket.address().port;
    this.#workers = workers;
    this.#topic = `QUIC packets of ${server}`;
    this.ids = new ConnIds(secret, this.#port);
    this.#unsubscribe = workers.subscribe(this.#topic, (message) => this.#heard(message));
    socket.on("message", (bytes, { address, port }) => {
      if (address !== loopback || !this.#known.has(port)) return;
      const relayed = unwrap(bytes);
      if (relayed !== undefined) received(relayed.datagram, relayed.from, relayed.local);
    });
  }

  static async open(options: WorkerRelayOptions): Promise<WorkerRelay> {
    const socket = createSocket({ type: "udp4", lookup: numericOnly, recvBufferSize: receiveBuffer });
    // Where the address needs no lookup, it may listen at once.
    const listening = once(socket, "listening");
    socket.bind({ port: 0, address: loopback, exclusive: true });
    await listening;
    // The other worker may be gone.
    socket.on("error", () => undefined);
    const relay = new WorkerRelay(socket, options);
    relay.#tell({ isNew: true });
    return relay;
  }

  /** This worker takes new connections from now on, or no longer. */
  announce(isOpen: boolean): void {
    const isNew = isOpen && !this.#isOpen;
    this.#isOpen = isOpen;
    this.#tell({ isNew });
  }

  /** Passes a packet on to the worker that its connection ID names. False: it names none that is known. */
  pass(datagram: Buffer, from: Endpoint, local: Endpoint, connId: Buffer): boolean {
    const port = this.ids.otherOwner(connId);
    if (port === undefined || !this.#known.has(port)) return false;
    this.#send(port, datagram, from, local);
    return true;
  }

  /** Passes the first packet of a connection on to a worker that takes new ones, if one is known. */
  passNew(datagram: Buffer, from: Endpoint, local: Endpoint): void {
    const port = [...this.#open].at(-1);
    if (port !== undefined) this.#send(port, datagram, from, local);
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#isOpen = false;
    this.#tell({ isGone: true });
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #tell({ isNew = false, isGone = false }: Partial<Announcement>): void {
    const announcement: Announcement = { port: this.#port, isOpen: this.#isOpen, isNew, isGone };
    this.#workers.broadcast(this.#topic, announcement);
  }

  #heard(message: unknown): void {
    if (!isAnnouncement(message)) return;
    const { port, isOpen, isNew, isGone } = message;
    if (isGone) this.#known.delete(port);
    else this.#known.add(port);
    if (isOpen) this.#open.add(port);
    else this.#open.delete(port);
    if (isNew) this.#tell({});
  }

  #send(port: number, datagram: Buffer, from: Endpoint, local: Endpoint): void {
    if (this.#socket.getSendQueueSize() < maxSendQueue) this.#socket.send(wrap(datagram, from, local), port, loopback);
  }
}

function isAnnouncement(message: unknown): message is Announcement {
  return typeof message === "object" && message !== null && "port" in message && "isOpen" in message;
}

/** `size of a JSON text (2) | [from, local] | datagram` */
function wrap(datagram: Buffer, { address, port }: Endpoint, local: Endpoint): Buffer {
  const ends = Buffer.from(JSON.stringify([address, port, local.address, local.port]));
  const size = Buffer.alloc(2);
  size.writeUInt16BE(ends.length);
  return Buffer.concat([size, ends, datagram]);
}

function unwrap(bytes: Buffer): { datagram: Buffer; from: Endpoint; local: Endpoint } | undefined {
  try {
    const end = 2 + bytes.readUInt16BE(0);
    const ends: unknown = JSON.parse(bytes.toString("latin1", 2, end));
    if (!Array.isArray(ends)) return undefined;
    const [address, port, localAddress, localPort] = ends as readonly unknown[];
    if (typeof address !== "string" || typeof port !== "number") return undefined;
    if (typeof localAddress !== "string" || typeof localPort !== "number") return undefined;
    const local = { address: localAddress, port: localPort };
    return { datagram: bytes.subarray(end), from: { address, port }, local };
  } catch {
    // Nothing of ours.
    return undefined;
  }
}

const loopback = "127.0.0.1";
