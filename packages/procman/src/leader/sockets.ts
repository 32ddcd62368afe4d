// The listening sockets of a program. The leader binds them and keeps them open while workers come and go: clients wait
// in the queue of the kernel meanwhile. Each slot has its own sockets for a TCP address, and the kernel spreads
// connections over them (SO_REUSEPORT); the sockets of UNIX paths, and those of systemd, are shared by all slots.

import type { SendHandle } from "node:child_process";
import { rm } from "node:fs/promises";
import { Socket, type BoundSocket } from "node:net";
import {
  addressKey,
  bindSocket,
  bindSockets,
  HemiError,
  placeOf,
  socketsOfAddress,
  type ListenAddress,
} from "@hemi/hemi/base";
import type { InheritedSocket } from "../systemd/inherited-sockets.ts";
import type { SocketPlace, SocketWish } from "../channel/calls.ts";
import { OwnSocket, receivedSocket, type OpenSocket } from "./open-socket.ts";
import type { SocketList, SocketName } from "./socket-list.ts";

/** A socket of one slot, or of all of them. */
export interface SlotSocket extends SocketPlace {
  /** What is sent to the worker. */
  readonly handle: SendHandle;
}

interface Listening {
  readonly address: string;
  readonly port: number;
  /** The path of a UNIX socket that the leader has bound; its file goes with it. */
  readonly file: string | undefined;
  /** As many for each slot, one slot after the other; or one for all. */
  readonly sockets: readonly OpenSocket[];
}

/** An address that is open, or is being bound. */
interface Held {
  readonly bound: Promise<Listening>;
  /** The workers that have it, with how many times: a worker may ask for it again before it releases it. */
  readonly holders: Map<object, number>;
}

export class Sockets {
  readonly #slots: number;
  readonly #listening = new Map<string, Held>();
  /** Workers that have ended: of one that has died, a request may still be on its way. */
  readonly #ended = new WeakSet<object>();
  /** Whether the files of UNIX sockets go with them; not while another leader of the program has them, too. */
  isOwner = true;
  /** Inherited from a parent process, by address; each is used once. */
  readonly #inherited: Map<string, InheritedSocket>;

  /** `inherited`: sockets that a parent process has bound, by address as `127.0.0.1:80` or a path. */
  constructor(slots: number, inherited: ReadonlyMap<string, InheritedSocket> = new Map()) {
    this.#slots = slots;
    this.#inherited = new Map(inherited);
  }

  /**
   * A socket of a slot for an address, by its index; `owner` is the path of the component that listens there. With the
   * first one (0), `holder` has the address until it releases it or ends; only then are there others. Rejects with
   * HEMI_LISTEN.
   */
  async acquire({ address, owner, index }: SocketWish, slot: number, holder: object): Promise<SlotSocket> {
    // Each component that asks for any free port gets its own.
    const key = "port" in address && address.port === 0 ? `${addressKey(address)} ${owner}` : addressKey(address);
    const missing = (): HemiError => new HemiError("HEMI_LISTEN", `there is no socket for slot ${slot} on ${key}`);
    if (this.#ended.has(holder)) throw missing();
    const held = this.#listening.get(key) ?? (index === 0 ? this.#open(key, address) : undefined);
    if (index === 0) held?.holders.set(holder, (held.holders.get(holder) ?? 0) + 1);
    if (held?.holders.has(holder) !== true) throw missing();
    const { sockets, file: _, ...place } = await held.bound;
    const ofSlot = this.#ofSlot(slot, sockets);
    const socket = ofSlot[index];
    if (socket === undefined) throw missing();
    return { key, ...place, sockets: ofSlot.length, handle: socket.handle };
  }

  #open(key: string, address: ListenAddress): Held {
    const held: Held = { bound: this.#bind(address), holders: new Map() };
    this.#listening.set(key, held);
    held.bound.catch(() => this.#listening.delete(key));
    return held;
  }

  #ofSlot(slot: number, all: readonly OpenSocket[]): readonly OpenSocket[] {
    if (all.length < this.#slots) return all;
    const count = Math.floor(all.length / this.#slots);
    return all.slice(slot * count, (slot + 1) * count);
  }

  /** As often as it was acquired. The last worker that releases an address closes it. */
  async release(key: string, holder: object): Promise<void> {
    const held = this.#listening.get(key);
    const times = held?.holders.get(holder);
    if (held === undefined || times === undefined) return;
    if (times > 1) held.holders.set(holder, times - 1);
    else held.holders.delete(holder);
    await this.#closeIfUnheld(key, held);
  }

  /** A worker has ended without releasing anything. Its addresses stay open for the one that replaces it. */
  forget(holder: object): void {
    this.#ended.add(holder);
    for (const { holders } of this.#listening.values()) holders.delete(holder);
  }

  /** Closes the addresses on which no worker listens: those that new code does without. */
  async closeUnheld(): Promise<void> {
    for (const [key, held] of this.#listening) await this.#closeIfUnheld(key, held);
  }

  async #closeIfUnheld(key: string, held: Held): Promise<void> {
    if (held.holders.size > 0) return;
    const listening = await held.bound.catch(() => undefined);
    // A worker may have asked for it meanwhile.
    if (listening === undefined || held.holders.size > 0 || this.#listening.get(key) !== held) return;
    this.#listening.delete(key);
    await this.#close(listening);
  }

  /** The addresses that are open. */
  async addresses(): Promise<readonly string[]> {
    return (await this.#allBound()).map(({ address }) => address);
  }

  /** Sockets that a parent process has bound, and that no component has asked for, with their addresses. */
  get unused(): readonly string[] {
    return [...this.#inherited].map(([address, { name }]) => `${name} (${address})`);
  }

  /** All of them, for a leader that takes over. */
  async list(): Promise<SocketList> {
    const listening: SocketList["listening"][number][] = [];
    for (const [key, held] of this.#listening) {
      const bound = await held.bound.catch(() => undefined);
      if (bound === undefined) continue;
      const { address, port, file, sockets } = bound;
      listening.push({ key, address, port, count: sockets.length, ...(file === undefined ? {} : { file }) });
    }
    return { listening, spare: [...this.#inherited].map(([address, { name }]) => ({ address, name })) };
  }

  /** One socket of the list. Rejects with HEMI_LISTEN if it is not there any more. */
  async at(name: SocketName): Promise<SendHandle> {
    const socket =
      "spare" in name
        ? this.#inherited.get(name.spare)?.socket
        : (await this.#listening.get(name.key)?.bound)?.sockets[name.index];
    if (socket === undefined) throw new HemiError("HEMI_LISTEN", "the socket was closed meanwhile");
    return socket.handle;
  }

  /**
   * The sockets of another leader of the program, which stays their owner. `fetch` gets one of the list. Rejects with
   * HEMI_LISTEN.
   */
  static async taken(slots: number, { listening, spare }: SocketList, fetch: (name: SocketName) => Promise<unknown>) {
    const inherited = new Map<string, InheritedSocket>();
    for (const { address, name } of spare)
      inherited.set(address, { socket: receivedSocket(await fetch({ spare: address })), name });
    const taken = new Sockets(slots, inherited);
    taken.isOwner = false;
    for (const { key, count, address, port, file } of listening) {
      const sockets: OpenSocket[] = [];
      while (sockets.length < count) sockets.push(receivedSocket(await fetch({ key, index: sockets.length })));
      taken.#listening.set(key, { bound: Promise.resolve({ address, port, file, sockets }), holders: new Map() });
    }
    return taken;
  }

  /** Closes everything. */
  async close(): Promise<void> {
    const listening = await this.#allBound();
    this.#listening.clear();
    await Promise.all(listening.map((open) => this.#close(open)));
    for (const { socket } of this.#inherited.values()) socket.close();
  }

  async #allBound(): Promise<readonly Listening[]> {
    const all = await Promise.allSettled([...this.#listening.values()].map(({ bound }) => bound));
    return all.flatMap((settled) => (settled.status === "fulfilled" ? [settled.value] : []));
  }

  async #close({ sockets, file }: Listening): Promise<void> {
    for (const socket of sockets) socket.close();
    if (file !== undefined && this.isOwner) await rm(file, { force: true });
  }

  async #bind(address: ListenAddress): Promise<Listening> {
    const given = this.#takeInherited(address);
    if (given !== undefined) return given;
    if ("path" in address) {
      const bound = await bindSocket(address, { isFileKept: true });
      return { address: address.path, port: 0, file: address.path, sockets: [adopt(bound)] };
    }
    const count = this.#slots * socketsOfAddress(this.#listening.size, this.#slots);
    const bound = await bindSockets(address, count);
    return { ...placeOf(bound[0]), file: undefined, sockets: bound.map(adopt) };
  }

  #takeInherited(address: ListenAddress): Listening | undefined {
    const names =
      "path" in address
        ? [address.path]
        : address.host === ""
          ? [`[::]:${address.port}`, `0.0.0.0:${address.port}`]
          : [`${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`];
    const name = names.find((candidate) => this.#inherited.has(candidate));
    const socket = name === undefined ? undefined : this.#inherited.get(name)?.socket;
    if (name === undefined || socket === undefined) return undefined;
    this.#inherited.delete(name);
    const port = "path" in address ? 0 : address.port;
    return { address: name, port, file: undefined, sockets: [socket] };
  }
}

/** A bound socket that does not listen. */
function adopt(bound: BoundSocket): OpenSocket {
  return new OwnSocket(new Socket({ handle: bound }));
}
