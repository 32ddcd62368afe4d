import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import { Channel, type ChannelEnd } from "./channel.ts";

interface Calls {
  readonly news: { readonly params: number; readonly result: undefined };
}

/** A process that takes messages only when the test says so. */
function stoppedProcess(): { readonly end: ChannelEnd; take(): void } {
  const waiting: (() => void)[] = [];
  const send = (_message: object, _handle: undefined, _options: object, sent: (error: null) => void) =>
    waiting.push(() => sent(null));
  const end = Object.assign(new EventEmitter(), { send }) as unknown as ChannelEnd;
  return { end, take: () => waiting.shift()?.() };
}

test("a process that takes nothing is given up once many messages have waited for long, and not before", () => {
  vi.useFakeTimers();
  try {
    const { end, take } = stoppedProcess();
    const stuck = vi.fn();
    const channel = new Channel<Calls, Record<never, never>>(end, {}, { stuck });
    const tell = (count: number): void => {
      for (let i = 0; i < count; i++) channel.tell("news", i);
    };
    // A burst of more than the system takes at once.
    tell(5000);
    expect(stuck).not.toHaveBeenCalled();
    vi.advanceTimersByTime(4000);
    take();
    vi.advanceTimersByTime(4000);
    tell(1);
    expect(stuck).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2000);
    tell(1);
    expect(stuck).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});

test("a process that takes nothing while this one stands is not given up", () => {
  vi.useFakeTimers();
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now");
  try {
    const { end, take } = stoppedProcess();
    const stuck = vi.fn();
    const channel = new Channel<Calls, Record<never, never>>(end, {}, { stuck });
    for (let i = 0; i < 2000; i++) channel.tell("news", i);
    // Five minutes after SIGSTOP: timers run before the loop sees that messages were taken.
    clock.mockImplementation(() => now() + 300_000);
    vi.advanceTimersByTime(1000);
    channel.tell("news", 2000);
    expect(stuck).not.toHaveBeenCalled();
    take();
    vi.advanceTimersByTime(4000);
    expect(stuck).not.toHaveBeenCalled();
  } finally {
    clock.mockRestore();
    vi.useRealTimers();
  }
});

test("a process that takes nothing is not given up for a few messages", () => {
  vi.useFakeTimers();
  try {
    const { end } = stoppedProcess();
    const stuck = vi.fn();
    const channel = new Channel<Calls, Record<never, never>>(end, {}, { stuck });
    for (let i = 0; i < 1000; i++) {
      channel.tell("news", i);
      vi.advanceTimersByTime(1000);
    }
    expect(stuck).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});

test("params that cannot be sent reject their call, and the channel stays open", async () => {
  const messages: object[] = [];
  const send = (message: object, _handle: undefined, _options: object, sent: (error: null) => void) => {
    messages.push(JSON.parse(JSON.stringify(message)) as object);
    sent(null);
  };
  const process = Object.assign(new EventEmitter(), { send });
  const end = process as unknown as ChannelEnd;
  const channel = new Channel<{ readonly news: { readonly params: unknown; readonly result: number } }, Calls>(end, {
    news: () => undefined,
  });
  const first = channel.call("news", 1);
  await expect(channel.call("news", 2n)).rejects.toThrow(TypeError);
  process.emit("message", { ...messages[0], "@hemi/procman": "result", result: 7 });
  expect(await first).toBe(7);
});
