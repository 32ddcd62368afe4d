// The listening sockets of a worker come from its leader, which keeps them open while a worker is replaced.

import { cannotListen, HemiError, type BoundListener, type ListenAddress, type SocketSource } from "@hemi/hemi";
import { RemoteError, type Channel } from "../channel/channel.ts";
import type { LeaderCalls, SocketWish, WorkerCalls } from "../channel/calls.ts";

export class LeaderSockets implements SocketSource {
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>) {
    this.#leader = leader;
  }

  async bind(address: ListenAddress, taker: () => string | undefined, owner: string): Promise<BoundListener> {
    const [{ key, ...place }, first] = await this.#ask({ address, owner, index: 0 }, taker);
    const handles = [first];
    while (handles.length < place.sockets) {
      const [, handle] = await this.#ask({ address, owner, index: handles.length }, taker);
      handles.push(handle);
    }
    let isOpen = true;
    return {
      ...place,
      // A handle that came over the channel; the types of `listen` know those of their own process only.
      listen: (server, index) => void server.listen(handles[index] ?? first),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#leader.tell("release", { key });
      },
    };
  }

  async #ask(wish: SocketWish, taker: () => string | undefined) {
    try {
      const answer = await this.#leader.callForHandle("socket", wish);
      const [, handle] = answer;
      if (typeof handle !== "object" || handle === null) throw new Error("the leader has sent no socket");
      return [answer[0], handle] as const;
    } catch (error) {
      const ours = taker();
      const { address } = wish;
      if (ours !== undefined)
        throw cannotListen(
          "path" in address ? address.path : `${address.host}:${address.port}`,
          Object.assign(new Error("taken"), { code: "EADDRINUSE" }),
          ours,
        );
      if (error instanceof RemoteError) throw new HemiError("HEMI_LISTEN", error.message.replace(/^hemi: /, ""));
      throw error;
    }
  }
}
