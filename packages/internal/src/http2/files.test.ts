import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { FrameClient, frame } from "../testing/frame-client.ts";
import { describeTransports } from "../testing/serve.ts";
import type { HandletPart } from "../web/kinds.ts";
import { frameType, settingId } from "./frames.ts";

const folder = await mkdtemp(join(tmpdir(), "hemi-http2-files-"));
const size = 1_000_000;
await writeFile(join(folder, "file"), Buffer.alloc(size, "0123456789"));
const file = await open(join(folder, "file"));
afterAll(async () => {
  await file.close();
  await rm(folder, { recursive: true });
});

const widen = (id: number, by: number): Buffer => frame(frameType.windowUpdate, 0, id, by);
const streams = 100;
const ids = Array.from({ length: streams }, (_, i) => 2 * i + 1);
const wide = { [settingId.initialWindowSize]: 2 ** 30 };

/** A handlet that sends the file, and how many of its calls are over, well or not. */
function sendFile() {
  const calls = { begun: 0, over: 0 };
  const handle: HandletPart["handle"] = async (_req, resp) => {
    calls.begun++;
    resp.contentSize = size;
    try {
      await resp.sendRegion({ fd: file.fd, offset: 0, size });
    } finally {
      calls.over++;
    }
    resp.end();
    return true;
  };
  return { calls, handle };
}

describeTransports(({ serve }) => {
  test.each([
    ["whose windows are used up", {}, 0],
    ["that read nothing from their connection", wide, 2 ** 30],
  ])("files for streams %s are not read into memory", async (_whose, settings, window) => {
    const { calls, handle } = sendFile();
    await using server = await serve(handle);
    const client = await FrameClient.connect(server, settings);
    client.raw.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    if (window > 0) client.send(widen(0, window));
    client.send(...ids.map((id) => client.request(id)));
    await expect.poll(() => calls.begun).toBe(streams);
    // The reads that may be made take a moment; each stream had its own block before.
    for (let i = 0; i < 20; i++) await file.stat();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(streams * 40_000);
  });

  test("all of many files comes in the end, whoever is reset meanwhile", async () => {
    const { calls, handle } = sendFile();
    await using server = await serve(handle);
    const client = await FrameClient.connect(server);
    const few = ids.slice(0, 20);
    client.send(...few.map((id) => client.request(id)));
    await expect.poll(() => calls.begun).toBe(few.length);
    const [kept, reset] = [few.filter((id) => id % 3 !== 0), few.filter((id) => id % 3 === 0)];
    client.send(...reset.map((id) => frame(frameType.rstStream, 0, id, 8)));
    await expect.poll(() => calls.over).toBe(reset.length);
    // Whatever the reset ones had taken of the connection's window was sent, or is given back.
    const taken = new Map(few.map((id) => [id, 0]));
    client.send(...kept.map((id) => widen(id, size)), widen(0, kept.length * size));
    let left = kept.length;
    while (left > 0) {
      const { id, payload, flags } = await client.nextOfType(frameType.data);
      taken.set(id, (taken.get(id) ?? 0) + payload.length);
      if ((flags & 1) === 1) left--;
    }
    expect(kept.every((id) => taken.get(id) === size)).toBe(true);
  });
});
