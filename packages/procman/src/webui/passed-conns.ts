// The listening socket of the web UI is the leader's, which passes on each connection that it accepts.

import { Socket, type Server, type SocketConstructorOpts } from "node:net";
import type { BoundListener, SocketSource } from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { NoCalls } from "../channel/calls.ts";
import type { LeaderViewCalls } from "./calls.ts";

export class PassedConns implements SocketSource {
  readonly #leader: Channel<LeaderViewCalls, NoCalls>;

  constructor(leader: Channel<LeaderViewCalls, NoCalls>) {
    this.#leader = leader;
  }

  /** For the one address of the stage. */
  async bind(address: Parameters<SocketSource["bind"]>[0]): Promise<BoundListener> {
    const place = "path" in address ? { address: address.path, port: 0 } : addressOf(address);
    let isOpen = true;
    return {
      ...place,
      sockets: 1,
      listen: (server) => {
        process.nextTick(() => server.emit("listening"));
        void this.#take(server, () => isOpen);
      },
      close: () => void (isOpen = false),
    };
  }

  /** Until the leader is gone. */
  async #take(server: Server, isOpen: () => boolean): Promise<void> {
    try {
      while (isOpen()) {
        const [, handle] = await this.#leader.callForHandle("conn", undefined);
        // A client that has left meanwhile leaves no handle.
        if (typeof handle !== "object" || handle === null) continue;
        const options: SocketConstructorOpts = { allowHalfOpen: true, readable: true, writable: true };
        server.emit("connection", new Socket(Object.assign(options, { handle })).setNoDelay(true));
      }
    } catch {
      // The process ends with the leader.
    }
  }
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }) {
  return { address: `${host}:${port}`, port };
}
