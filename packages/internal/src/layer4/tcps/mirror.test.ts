import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { RawBackend } from "../../testing/raw-backend.ts";
import { named, route, router, to } from "../../testing/route.ts";
import { LeftMirrors, Mirror } from "./mirror.ts";
import type { DialWish } from "./node-link.ts";
import type { TcpsBackend } from "./tcps-backend.ts";

const wish = {} as DialWish;

/** Mirrors of a backend that never connects; it notes whose wait was cancelled. */
function waitingMirrors() {
  const cancelled: number[] = [];
  const expiries: (() => void)[] = [];
  const left = new LeftMirrors({
    restTimeout: () => 1000,
    makeDeadline(onExpired) {
      expiries.push(onExpired);
      return { isSet: true, set: () => {}, clear: () => {} };
    },
    givenUp: () => {},
  });
  return {
    left,
    cancelled,
    expiries,
    /** A mirror whose client has sent something, and has gone. */
    leave(id: number): void {
      const dial: TcpsBackend["dial"] = () => ({ cancel: () => void cancelled.push(id) });
      const mirror = new Mirror(left);
      mirror.dial({ dial } as unknown as TcpsBackend, wish);
      mirror.write(Buffer.from("x"), false);
      mirror.close();
    },
  };
}

test("a mirror that does not end after its client is closed", async () => {
  await using node = await named("n");
  await using mirror = await RawBackend.listen(() => Promise.resolve());
  const proxy = 'tcpsProxy { .toBackend = "n" .mirrorTo = "m" .idleTimeout = 1s }';
  await using site = await route(to("n", node) + to("m", mirror) + router(`case { ${proxy} }`));
  await using client = await site.connect();
  await expect.poll(() => mirror.conns.length).toBe(1);
  client.send("hello").end();
  expect((await client.toTheEnd()).toString()).toBe("n:hello");
  const wasGivenUp = (): boolean => site.log.some((line) => line.includes("it has not ended within 1000 ms after"));
  await expect.poll(wasGivenUp, { timeout: 5000 }).toBe(true);
  const { socket } = mirror.conns[0] ?? {};
  expect(socket?.destroyed).toBe(false);
  // Who has read the end of a connection learns of its reset when it writes.
  socket?.write("still here");
  await expect.poll(() => socket?.destroyed).toBe(true);
});

test("an idleTimeout that a reload makes shorter holds for mirrors whose clients have gone", async () => {
  await using node = await named("n");
  await using mirror = await RawBackend.listen(() => Promise.resolve());
  const config = (idleTimeout: string): string => {
    const proxy = `tcpsProxy { .toBackend = "n" .mirrorTo = "m" .idleTimeout = ${idleTimeout} }`;
    return to("n", node) + to("m", mirror) + router(`case { ${proxy} }`);
  };
  await using site = await route(config("1h"));
  await using client = await site.connect();
  await expect.poll(() => mirror.conns.length).toBe(1);
  client.send("hello").end();
  await client.toTheEnd();
  await site.stage.reload({ text: `stage { ${config("1ms")} }` });
  await expect.poll(() => site.log.join("")).toContain("it has not ended within 1 ms after its client");
});

test("many mirrors that are given up are one line in the log", async () => {
  await using node = await named("n");
  await using gone = await RawBackend.listen(() => Promise.resolve());
  const backends = to("n", node) + to("m", gone, ".maxFails = 1");
  await gone[Symbol.asyncDispose]();
  await using site = await route(backends + router('case { tcpsProxy { .toBackend = "n" .mirrorTo = "m" } }'));
  const givenUp = (): number => site.log.filter((line) => line.includes("a mirror is given up")).length;
  const ask = async (): Promise<void> => {
    await using client = await site.connect();
    expect((await client.send("x").exactly(3)).toString()).toBe("n:x");
  };
  await ask();
  await expect.poll(givenUp).toBe(1);
  // From now on the node is known to be down: each of their mirrors fails at once.
  for (let i = 0; i < 5; i++) await ask();
  expect(givenUp()).toBe(1);
});

test("of the mirrors that are left when their clients have gone, the oldest give way", () => {
  const { cancelled, leave } = waitingMirrors();
  for (let id = 0; id < 1002; id++) leave(id);
  expect(cancelled).toEqual([0, 1]);
});

test("a mirror that still waits for its node is given up in time, and with its dealet", () => {
  const { left, cancelled, expiries, leave } = waitingMirrors();
  for (let id = 0; id < 3; id++) leave(id);
  expiries[1]?.();
  expect(cancelled).toEqual([1]);
  left.close();
  expect(cancelled).toEqual([1, 0, 2]);
  // The connection of its client was broken off after the dealet.
  leave(3);
  expect(cancelled).toEqual([1, 0, 2, 3]);
});
