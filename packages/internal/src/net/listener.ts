// The listening sockets of the process. They are kept apart from stages and their generations: who follows joins the listener that is
// there, takes its connections over, and no client ever meets a closed door.

import { rm, stat } from "node:fs/promises";
import * as net from "node:net";
import { dirname } from "node:path";
import { HemiError } from "../errors/hemi-error.ts";

/** Where to listen: as a prop of type `address` gives it. `host` "" stands for all addresses, IPv6 and IPv4. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Takes a connection that a client has opened. */
export type Acceptor = (socket: net.Socket) => void;

/** Who holds a listener: two holders of one stage would take each other's connections. The context of a component is one. */
export interface ListenerOwner {
  /** The same object for all holders of one stage. */
  readonly stage: object;
  /** The component's path, for messages. */
  readonly path: string;
  /** Whether a reload drops the component: then another one of the stage may join its listener. Default: false. */
  readonly isLeaving?: boolean;
}

/** A share in a listener, for one gate. The last one to be released closes the socket. */
export interface ListenerShare {
  /** Where it listens, with the port that was given for port 0; a path for a UNIX socket. */
  readonly address: string;
  /** The port, 0 for a UNIX socket. */
  readonly port: number;
  /** Connections go to this acceptor from now on, whoever had them before. After `release` it does nothing. */
  accept(acceptor: Acceptor): void;
  /** Connections go to the acceptor that had them before, if its share still accepts. Twice is harmless. */
  release(): Promise<void>;
}

/** All listening sockets, by address. One for a process, and one for a test that wants its own. */
export class Listeners {
  readonly #listeners = new Map<string, Listener>();

  /**
   * Binds the address and listens, or joins the listener that has it; connections wait until a share accepts. A dead process's socket file
   * is removed. Rejects with HEMI_LISTEN, which names address and reason.
   */
  async share(address: ListenAddress, owner: ListenerOwner): Promise<ListenerShare> {
    const key = "path" in address ? address.path : `${address.host}:${address.port}`;
    // Ours is alive; asking it would give it a connection that nobody wants.
    if ("path" in address && !this.#listeners.has(key)) {
      await removeDeadSocket(address.path);
      await assertPlaceForSocket(address.path);
    }
    // Port 0 asks for a port of one's own.
    const isShared = "path" in address || address.port !== 0;
    let listener = isShared ? this.#listeners.get(key) : undefined;
    if (listener === undefined) {
      const taker = (): string | undefined => this.#takerOf(address, key);
      listener = new Listener(bind(address, key, taker), () => this.#listeners.delete(key), taker);
      if (isShared) this.#listeners.set(key, listener);
    }
    const share = listener.join(owner);
    try {
      await listener.listening();
    } catch (error) {
      await share.release();
      throw error;
    }
    return share;
  }

  /** Which of ours has the port already, by an address that overlaps: `:8080` and `127.0.0.1:8080` do. */
  #takerOf(address: ListenAddress, key: string): string | undefined {
    if ("path" in address || address.port === 0) return undefined;
    for (const [otherKey, listener] of this.#listeners) {
      if (otherKey !== key && listener.port === address.port) return listener.title;
    }
    return undefined;
  }
}

class Listener {
  readonly #bound: net.BoundSocket;
  readonly #server: net.Server;
  readonly #closed: () => void;
  readonly #taker: () => string | undefined;
  readonly #shares = new Map<ListenerShare, ListenerOwner>();
  readonly address: string;
  readonly port: number;
  /** Those that accept. The last one has the connections; the others had them before it, and one gets them back when it is released. */
  readonly #accepting: { readonly share: ListenerShare; readonly acceptor: Acceptor }[] = [];
  /** Connections that came while no gate was open: the next one takes them. */
  readonly #waiting = new Set<net.Socket>();
  #listening: Promise<void> | undefined;

  /** `taker` tells who of this process has its port already. */
  constructor(bound: net.BoundSocket, closed: () => void, taker: () => string | undefined) {
    this.#taker = taker;
    this.#bound = bound;
    this.#closed = closed;
    const address = bound.address();
    this.address = typeof address === "string" ? address : `${bracketed(address.address)}:${address.port}`;
    this.port = typeof address === "string" ? 0 : address.port;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#take(socket));
  }

  /** For messages. */
  get title(): string {
    const [owner] = this.#shares.values();
    return `${owner?.path ?? "another server"} listens on ${this.address}`;
  }

  join(owner: ListenerOwner): ListenerShare {
    for (const other of this.#shares.values()) {
      if (other.stage !== owner.stage || other.isLeaving === true) continue;
      throw new HemiError(
        "HEMI_LISTEN",
        `${owner.path} cannot listen on ${this.address}: ${other.path} of the same stage does`,
      );
    }
    const share: ListenerShare = {
      address: this.address,
      port: this.port,
      accept: (acceptor) => {
        if (!this.#shares.has(share)) return;
        this.#accepting.push({ share, acceptor });
        for (const socket of this.#waiting) {
          this.#waiting.delete(socket.off("error", forget));
          if (!socket.destroyed) acceptor(socket);
        }
      },
      release: () => this.#release(share),
    };
    this.#shares.set(share, owner);
    return share;
  }

  #take(socket: net.Socket): void {
    const accepting = this.#accepting.at(-1);
    if (accepting !== undefined) accepting.acceptor(socket);
    else if (this.#waiting.size < maxWaiting) this.#waiting.add(socket.on("error", forget));
    else socket.destroy();
  }

  /** Settles when the socket listens: rejects with HEMI_LISTEN if the address is taken. */
  listening(): Promise<void> {
    return (this.#listening ??= this.#listen());
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(cannotListen(this.address, error, this.#taker()));
      this.#server.once("error", failed);
      this.#server.listen(this.#bound, () => {
        this.#server.off("error", failed);
        // An accept that fails, for want of descriptors for one, is tried again by the runtime.
        this.#server.on("error", forget);
        resolve();
      });
    });
  }

  async #release(share: ListenerShare): Promise<void> {
    if (!this.#shares.delete(share)) return;
    const index = this.#accepting.findIndex((accepting) => accepting.share === share);
    if (index >= 0) this.#accepting.splice(index, 1);
    if (this.#shares.size > 0) return;
    this.#closed();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
    if (this.#listening === undefined) {
      this.#bound.close();
      return;
    }
    await this.#listening.catch(forget);
    if (!this.#server.listening) return;
    // Connections that were accepted live on: close() stops listening at once, and only calls back when they have ended.
    this.#server.close();
  }
}

function bind(address: ListenAddress, key: string, taker: () => string | undefined): net.BoundSocket {
  try {
    if ("path" in address) {
      const options: net.BoundSocketOptions & { path: string } = { path: address.path };
      return new net.BoundSocket(options);
    }
    const { host, port } = address;
    if (host !== "") return new net.BoundSocket({ host, port });
    try {
      return new net.BoundSocket({ host: "::", port });
    } catch (error) {
      // A machine without IPv6.
      if (codeOf(error) !== "EAFNOSUPPORT" && codeOf(error) !== "EADDRNOTAVAIL") throw error;
      return new net.BoundSocket({ host: "0.0.0.0", port });
    }
  } catch (error) {
    throw cannotListen(key, error, taker());
  }
}

/** What the system says of these two is that the address is not there, or in use. */
async function assertPlaceForSocket(path: string): Promise<void> {
  const refuse = (reason: string): never => {
    throw new HemiError("HEMI_LISTEN", `cannot listen on ${path}: ${reason}`);
  };
  const folder = dirname(path);
  if ((await stat(folder).catch(forget))?.isDirectory() === false) refuse(`${folder} is no folder`);
  const isMissing = await stat(folder).then(forget, (error: unknown) => codeOf(error) === "ENOENT");
  if (isMissing === true) refuse(`the folder ${folder} does not exist; make it first`);
  const found = await stat(path).catch(forget);
  if (found !== undefined && !found.isSocket())
    refuse("there is a file or folder in its place that is no socket; remove it");
}

/** A socket file outlives a process that was killed, and would then keep its path taken. One that is answered on stays. */
async function removeDeadSocket(path: string): Promise<void> {
  if ((await stat(path).catch(forget))?.isSocket() !== true) return;
  const isDead = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path);
    probe.once("error", (error) => resolve(codeOf(error) === "ECONNREFUSED"));
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
  });
  if (isDead) await rm(path, { force: true });
}

function cannotListen(address: string, error: unknown, taker: string | undefined): HemiError {
  const code = codeOf(error);
  const advice =
    code === "EADDRINUSE"
      ? taker === undefined
        ? "another program listens there; stop it or choose another address"
        : `${taker}, in this very process; keep one of the two`
      : code === "EACCES"
        ? "this user may not; ports below 1024 need a privilege, and a socket file a folder that can be written"
        : code === "EADDRNOTAVAIL"
          ? "this machine does not have that address"
          : error instanceof Error
            ? error.message
            : String(error);
  return new HemiError("HEMI_LISTEN", `cannot listen on ${address}: ${advice}`, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function forget(): undefined {}

/** Connections kept for the next gate, at most. */
const maxWaiting = 1024;
