// Binds the sockets that a process listens on.

import { once } from "node:events";
import { link, rm, stat } from "node:fs/promises";
import * as net from "node:net";
import { dirname, join } from "node:path";
import { descriptorLimit } from "@hemi/common";
import { HemiError } from "../errors/hemi-error.ts";

/** The address to listen on, as a prop of type `address` returns it. `host` "" means all addresses, IPv6 and IPv4. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Identifies an address: `127.0.0.1:80`, `:80`, or the path of a UNIX socket. */
export function addressKey(address: ListenAddress): string {
  return "path" in address ? address.path : `${address.host}:${address.port}`;
}

/** An address that is bound: by several sockets, or by one. */
export interface BoundListener {
  /** The address, with the assigned port if port 0 was requested; a path for a UNIX socket. */
  readonly address: string;
  /** The port, 0 for a UNIX socket. */
  readonly port: number;
  /** How many servers may listen at once, each on a socket of its own. */
  readonly sockets: number;
  /** Makes a server listen on the socket of this index. The server then emits `listening`, or `error`. */
  listen(server: net.Server, index: number): void;
  /** Gives the address up: sockets that never listened are closed. Call it once, after all servers have stopped. */
  close(): void;
}

/** Where listening sockets come from. */
export interface SocketSource {
  /**
   * Binds. `taker` says, for messages, which listener of this process has the port already. `owner` is the path of the
   * component that listens. Rejects with HEMI_LISTEN, which names address and reason.
   */
  bind(address: ListenAddress, taker: () => string | undefined, owner: string): Promise<BoundListener>;
}

/** The process binds its sockets itself. */
export class OwnSockets implements SocketSource {
  /** Of the addresses that are bound, or are being bound. */
  #count = 0;
  readonly #socketsOf: (addresses: number) => number;

  /**
   * `socketsOf`: how many sockets a further address of TCP has, beside so many addresses. Default: one, so that
   * connections are accepted in the order in which they come.
   */
  constructor(socketsOf: (addresses: number) => number = () => 1) {
    this.#socketsOf = socketsOf;
  }

  async bind(address: ListenAddress, taker: () => string | undefined): Promise<BoundListener> {
    // Others are bound meanwhile: they count from now on.
    const count = this.#socketsOf(this.#count++);
    const bound = await bindSockets(address, count, taker).catch((error: unknown) => {
      this.#count--;
      throw error;
    });
    const [first] = bound;
    const adopted = new Set<net.BoundSocket>();
    return {
      ...placeOf(first),
      sockets: bound.length,
      listen(server, index) {
        const socket = bound[index] ?? first;
        adopted.add(socket);
        server.listen(socket);
      },
      close: () => {
        this.#count--;
        for (const socket of bound) if (!adopted.has(socket)) socket.close();
      },
    };
  }
}

/**
 * How many sockets a process should have for a further address of TCP, if it listens on so many. The runtime takes one
 * connection from each in a turn of the event loop: with several, what a turn costs is shared by several new
 * connections, and whoever is woken for the first one is awake for the others. A process that listens on very many
 * addresses, such as a range of ports, needs its descriptors for connections: at most a quarter of them is for this. A
 * leader has the sockets of all `processes`. `descriptors`: the most that a process may have.
 */
export function socketsOfAddress(addresses: number, processes = 1, descriptors = descriptorLimit()): number {
  const taken = (addresses + 1) * several * processes;
  return process.platform === "linux" && addresses < 32 && taken <= descriptors / 4 ? several : 1;
}

const several = 4;

export interface BindOptions {
  /** Names the listener of this process that has the port already. Default: none has. */
  readonly taker?: (() => string | undefined) | undefined;
  /** Whether other sockets of this user may bind the same address and share its connections. Default: false. */
  readonly reusePort?: boolean;
  /**
   * Whether the file of a UNIX socket stays when this process closes the socket: another process may go on with it.
   * Default: false.
   */
  readonly isFileKept?: boolean;
}

/** Binds, and removes the socket file of a dead process. Rejects with HEMI_LISTEN, which names address and reason. */
export async function bindSocket(
  address: ListenAddress,
  { taker = () => undefined, reusePort = false, isFileKept = false }: BindOptions = {},
): Promise<net.BoundSocket> {
  if ("path" in address) {
    await removeDeadSocket(address.path);
    await assertPlaceForSocket(address.path);
    if (isFileKept) return await bindUnderOtherName(address.path);
  }
  return bind(address, taker, reusePort);
}

/**
 * Binds so many sockets to an address of TCP; the kernel spreads connections over them (SO_REUSEPORT). A UNIX socket is
 * one. Rejects as `bindSocket`, also if another program of this user listens there with SO_REUSEPORT.
 */
export async function bindSockets(
  address: ListenAddress,
  count: number,
  taker?: () => string | undefined,
): Promise<readonly [net.BoundSocket, ...net.BoundSocket[]]> {
  if ("path" in address || count === 1) return [await bindSocket(address, { taker })];
  // A free port is nobody else's.
  if (address.port !== 0) await listenAlone(address, taker);
  const first = await bindSocket(address, { taker, reusePort: true });
  const bound: [net.BoundSocket, ...net.BoundSocket[]] = [first];
  const shared = { ...address, port: placeOf(first).port };
  try {
    while (bound.length < count) bound.push(await bindSocket(shared, { taker, reusePort: true }));
  } catch (error) {
    for (const socket of bound) socket.close();
    throw error;
  }
  return bound;
}

/**
 * Rejects if anybody else listens there, or begins to at the same time: of sockets that only one program may have,
 * several can be bound, but only one listens.
 */
async function listenAlone(address: ListenAddress, taker: (() => string | undefined) | undefined): Promise<void> {
  const server = net.createServer();
  const bound = await bindSocket(address, { taker });
  try {
    const listening = once(server, "listening");
    server.listen(bound);
    await listening;
  } catch (error) {
    throw cannotListen(addressKey(address), error, taker?.());
  } finally {
    server.close();
  }
}

/** Address and port of a bound socket. */
export function placeOf(bound: net.BoundSocket): { readonly address: string; readonly port: number } {
  // A path for a UNIX socket, which the types do not say.
  const address: net.AddressInfo | string = bound.address();
  if (typeof address === "string") return { address, port: 0 };
  return { address: `${bracketed(address.address)}:${address.port}`, port: address.port };
}

function bind(address: ListenAddress, taker: () => string | undefined, reusePort: boolean): net.BoundSocket {
  try {
    if ("path" in address) {
      const options: net.BoundSocketOptions & { path: string } = { path: address.path };
      return new net.BoundSocket(options);
    }
    const { host, port } = address;
    if (host !== "") return new net.BoundSocket({ host, port, reusePort });
    try {
      return new net.BoundSocket({ host: "::", port, reusePort });
    } catch (error) {
      // A machine without IPv6.
      if (codeOf(error) !== "EAFNOSUPPORT" && codeOf(error) !== "EADDRNOTAVAIL") throw error;
      return new net.BoundSocket({ host: "0.0.0.0", port, reusePort });
    }
  } catch (error) {
    throw cannotListen(addressKey(address), error, taker());
  }
}

/** The runtime removes the name that a socket was bound to when it closes the socket, and no other one. */
async function bindUnderOtherName(path: string): Promise<net.BoundSocket> {
  const name = join(dirname(path), `.${process.pid}.${++lastName}`);
  const bound = bind({ path: name }, () => undefined, false);
  try {
    // Fails if the name is taken.
    await link(name, path);
  } catch (error) {
    bound.close();
    throw cannotListen(path, error, undefined);
  }
  await rm(name, { force: true });
  return bound;
}

let lastName = 0;

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

/** HEMI_LISTEN with address, reason and advice. `taker` names the listener of this process that has the port. */
export function cannotListen(address: string, error: unknown, taker: string | undefined): HemiError {
  const code = codeOf(error);
  const advice =
    code === "EADDRINUSE" || code === "EEXIST"
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
