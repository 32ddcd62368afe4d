// The listening sockets of a worker come from its leader, which keeps them open while a worker is replaced.

import { cannotListen, HemiError, type BoundListener, type ListenAddress, type SocketSource } from "@hemi/hemi";
import { RemoteError, type Channel } from "../channel/channel.ts";
import { isHandle, type RawHandle } from "../leader/raw-handle.ts";
import type { LeaderCalls, SocketPlace, SocketWish, WorkerCalls } from "../channel/calls.ts";

export class LeaderSockets implements SocketSource {
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>) {
    this.#leader = leader;
  }

  async bind(address: ListenAddress, taker: () => string | undefined, owner: string): Promise<BoundListener> {
    const [{ key, ...place }, first] = await this.#ask({ address, owner, index: 0 }, taker);
    const handles: RawHandle[] = [];
    const adopted = new Set<RawHandle>();
    let isOpen = true;
    const close = (): void => {
      if (!isOpen) return;
      isOpen = false;
      for (const handle of handles) if (!adopted.has(handle)) handle.close();
      this.#leader.tell("release", { key });
    };
    try {
      handles.push(received(first));
      while (handles.length < place.sockets) {
        const [, handle] = await this.#ask({ address, owner, index: handles.length }, taker);
        handles.push(received(handle));
      }
    } catch (error) {
      close();
      throw error;
    }
    return {
      ...place,
      listen(server, index) {
        const handle = received(handles[index]);
        adopted.add(handle);
        server.listen(handle);
      },
      close,
    };
  }

  async #ask(wish: SocketWish, taker: () => string | undefined): Promise<readonly [SocketPlace, handle: unknown]> {
    try {
      return await this.#leader.callForHandle("socket", wish);
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

function received(handle: unknown): RawHandle {
  if (!isHandle(handle)) throw new HemiError("HEMI_LISTEN", "the leader has sent no socket");
  return handle;
}
