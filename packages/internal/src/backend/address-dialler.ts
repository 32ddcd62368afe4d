// Dials addresses that no backend names, for outgates.

import { connect, type Socket } from "node:net";
import { Roster, type Deadline } from "@hemi/common";
import { formatAddress } from "../component/props/addresses.ts";
import { BackendFailure } from "./failure.ts";

export interface AddressDiallerOptions {
  /** In milliseconds, for each address. */
  readonly settings: { readonly dialTimeout: number };
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Why no connection may be opened now; `undefined` if one may. */
  readonly whyFull: () => BackendFailure | undefined;
}

export class AddressDialler {
  readonly #options: AddressDiallerOptions;
  readonly #sockets = new Roster<Socket>();

  constructor(options: AddressDiallerOptions) {
    this.#options = options;
  }

  /** The number of open connections. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Connects to the first address that accepts. The socket supports half-close. Rejects with a BackendFailure. */
  async dial(ips: readonly string[], port: number): Promise<Socket> {
    let failure = new BackendFailure("HEMI_BACKEND_DIAL", "", "the host has no address");
    for (const ip of ips) {
      const full = this.#options.whyFull();
      if (full !== undefined) throw full;
      const result = await this.#connect(ip, port);
      if (!(result instanceof BackendFailure)) return result;
      failure = result;
    }
    throw failure;
  }

  /** Destroys all connections. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(ip: string, port: number): Promise<Socket | BackendFailure> {
    return new Promise((resolve) => {
      const socket = connect({ host: ip, port, noDelay: true, allowHalfOpen: true });
      const name = formatAddress({ host: ip, port });
      const { settings, makeDeadline } = this.#options;
      const deadline = makeDeadline(() => {
        resolve(new BackendFailure("HEMI_TIMEOUT", name, `no connection stood after ${settings.dialTimeout} ms`));
        socket.destroy();
      });
      deadline.set(settings.dialTimeout);
      this.#sockets.add(socket);
      socket.on("connect", () => {
        deadline.clear();
        resolve(socket);
      });
      socket.on("error", (cause) => {
        resolve(new BackendFailure("HEMI_BACKEND_DIAL", name, cause.message));
      });
      socket.on("close", () => {
        deadline.clear();
        this.#sockets.delete(socket);
        resolve(new BackendFailure("HEMI_BACKEND_DIAL", name, "it closed the connection"));
      });
    });
  }
}
