import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import type { LeaderCalls, WorkerCalls } from "../channel/calls.ts";
import { Channel, type ChannelEnd } from "../channel/channel.ts";
import { LeaderSockets } from "./leader-sockets.ts";

const place = { key: "127.0.0.1:80", address: "127.0.0.1:80", port: 80, sockets: 4 };

interface Sent {
  readonly id: number;
  readonly name: string;
  readonly params: { readonly key: string; readonly index: number };
}

/** A leader that sends the first so many of four sockets; `otherwise` is what its answer to the next wish says. */
function leaderWith(count: number, otherwise: object = {}) {
  const handles = Array.from({ length: count }, () => ({ fd: 20, close: vi.fn() }));
  const released = vi.fn();
  const end = new EventEmitter();
  const send = ({ id, name, params }: Sent): void => {
    if (name === "release") return void released(params.key);
    const handle = handles[params.index];
    const answer = { "@hemi/procman": "result", id, result: place };
    end.emit("message", handle === undefined ? { ...answer, ...otherwise } : answer, handle);
  };
  const ownEnd = Object.assign(end, { send }) as unknown as ChannelEnd;
  const channel = new Channel<LeaderCalls, WorkerCalls>(ownEnd, {} as never);
  const bind = () => new LeaderSockets(channel).bind({ host: "127.0.0.1", port: 80 }, () => undefined, "server.main");
  return { bind, handles, released };
}

test("a worker that gets some of its sockets only closes them, and gives the address back", async () => {
  const failed = { "@hemi/procman": "error", text: "hemi: too many open files", exitCode: 1 };
  const { bind, handles, released } = leaderWith(2, failed);
  await expect(bind()).rejects.toMatchObject({ code: "HEMI_LISTEN", message: "too many open files" });
  for (const { close } of handles) expect(close).toHaveBeenCalledOnce();
  expect(released.mock.calls).toEqual([[place.key]]);
});

test.each([0, 3])("the answer that comes without its socket after %i others is an error", async (count) => {
  const { bind, handles, released } = leaderWith(count);
  await expect(bind()).rejects.toMatchObject({ code: "HEMI_LISTEN", message: "the leader has sent no socket" });
  for (const { close } of handles) expect(close).toHaveBeenCalledOnce();
  expect(released.mock.calls).toEqual([[place.key]]);
});

test("an address on which nobody has listened leaves no socket open", async () => {
  const { bind, handles, released } = leaderWith(4);
  const bound = await bind();
  expect(bound).toMatchObject({ address: place.address, sockets: 4 });
  bound.close();
  for (const { close } of handles) expect(close).toHaveBeenCalledOnce();
  expect(released.mock.calls).toEqual([[place.key]]);
});
