import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { receiveStream } from "../testing/receivers.ts";
import { StreamCarrier } from "./stream-carrier.ts";

const timeout = 1000;
const line = Buffer.alloc(8192, "x");
/** More than a UNIX socket holds by far. */
const batch = Array.from({ length: 256 }, () => line);
const never = new AbortController().signal;

afterEach(() => void vi.useRealTimers());

test("a receiver that takes some of a batch within the time limit, and not all of it, gets all of it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-carrier-"));
  let [received, sinceTick] = [0, 0];
  await using receiver = await receiveStream(join(folder.path, "log"), (socket) => {
    socket.on("data", (bytes: Buffer) => {
      received += bytes.length;
      sinceTick += bytes.length;
      // What lies in the socket is less than this, so the carrier has written since.
      if (sinceTick < 512 * 1024) return;
      sinceTick = 0;
      vi.advanceTimersByTime(0.9 * timeout);
    });
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const carrier = new StreamCarrier({ to: { path: receiver.address }, frame: (message) => message });
  await carrier.send(batch, timeout, never);
  vi.useRealTimers();
  await carrier.close();
  await expect.poll(() => received).toBe(256 * 8192);
});

test("a receiver that takes nothing at the end is not waited for", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-carrier-"));
  await using receiver = await receiveStream(join(folder.path, "log"), (socket) => socket.pause());
  const ending = new AbortController();
  const carrier = new StreamCarrier({ to: { path: receiver.address }, frame: (message) => message });
  const sent = carrier.send(batch, 600_000, ending.signal);
  ending.abort();
  await expect(sent).rejects.toThrow("it was too slow at the end");
});

test("a batch that is under way when the connection is renewed comes once, and whole", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-carrier-"));
  const received: number[] = [];
  await using receiver = await receiveStream(join(folder.path, "log"), (socket) => {
    const conn = received.push(0) - 1;
    socket.on("data", (bytes: Buffer) => (received[conn] = (received[conn] ?? 0) + bytes.length));
  });
  const carrier = new StreamCarrier({ to: { path: receiver.address }, frame: (message) => message });
  const sent = carrier.send(batch, 600_000, never);
  carrier.renew();
  await sent;
  await carrier.send([line], 600_000, never);
  await carrier.close();
  await expect.poll(() => received).toEqual([256 * 8192, 8192]);
});
