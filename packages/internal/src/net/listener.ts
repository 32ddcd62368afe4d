// The listening sockets of the process. They are independent of stages and generations: a successor joins the existing
// listener and takes over its connections, so no client is refused.

import { rm, stat } from "node:fs/promises";
import * as net from "node:net";
import { dirname } from "node:path";
import { HemiError } from "../errors/hemi-error.ts";

/** The address to listen on, as a prop of type `address` returns it. `host` "" means all addresses, IPv6 and IPv4. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Receives a connection that a client has opened. */
export type Acceptor = (socket: net.Socket) => void;

/**
 * The owner of a share. Two owners in one stage would take each other's connections. A component's context is an owner.
 */
export interface ListenerOwner {
  /** The same object for all owners in one stage. */
  readonly stage: object;
  /** The component's path, for messages. */
  readonly path: string;
  /** Whether a reload drops the component. If so, another one of the stage may join its listener. Default: false. */
  readonly isLeaving?: boolean;
}

/** A share of a listener, for one gate. The listening socket closes when the last share is released. */
export interface ListenerShare {
  /** The address, with the assigned port if port 0 was requested; a path for a UNIX socket. */
  readonly address: string;
  /** The port, 0 for a UNIX socket. */
  readonly port: number;
  /** Directs connections to this acceptor from now on. Has no effect after `release`. */
  accept(acceptor: Acceptor): void;
  /** Directs connections back to the previous acceptor, if its share still accepts. Calling it twice is harmless. */
  release(): Promise<void>;
}

/** All listening sockets, by address. There is one for the process; a test may have its own. */
export class Listeners {
  readonly #listeners = new Map<string, Listener>();

  /**
   * Binds the address and listens, or joins the existing listener. Connections wait until a share accepts. The socket
   * file of a dead process is removed. Rejects with HEMI_LISTEN, which names address and reason.
   */
  async share(address: ListenAddress, owner: ListenerOwner): Promise<ListenerShare> {
    const key = "path" in address ? address.path : `${address.host}:${address.port}`;
    // Our own listener is alive; a test connection to it would be unwanted.
    if ("path" in address && !this.#listeners.has(key)) {
      await removeDeadSocket(address.path);
      await assertPlaceForSocket(address.path);
    }
    // Port 0 requests a separate port.
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

  /** Our listener that has the port already, on an overlapping address: `:8080` and `127.0.0.1:8080` overlap. */
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
  /** The accepting shares. The last one gets the connections. When it is released, the previous one gets them again. */
  readonly #accepting: { readonly share: ListenerShare; readonly acceptor: Acceptor }[] = [];
  /** Connections that arrived while no gate was open. The next gate takes them. */
  readonly #waiting = new Set<net.Socket>();
  #listening: Promise<void> | undefined;

  /** `taker` names the listener of this process that has the port already. */
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

  /** Settles when the socket listens. Rejects with HEMI_LISTEN if the address is in use. */
  listening(): Promise<void> {
    return (this.#listening ??= this.#listen());
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(cannotListen(this.address, error, this.#taker()));
      this.#server.once("error", failed);
      this.#server.listen(this.#bound, () => {
        this.#server.off("error", failed);
        // The runtime retries a failed accept, for example without free descriptors.
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
    // Accepted connections continue: close() stops listening at once, and calls back only when they have ended.
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

/** For these two cases, the system reports only that the address is not available or in use. */
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

/** The socket file of a killed process remains and blocks its path. A file whose socket accepts connections is kept. */
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
        : `${taker}, in this very process; keep one of the two, or restart: a reload cannot exchange them`
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

/** The maximum number of connections that wait for the next gate. */
const maxWaiting = 1024;
