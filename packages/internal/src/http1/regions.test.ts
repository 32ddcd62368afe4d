// Stretches of files on their way to clients of all speeds.

import { randomBytes } from "node:crypto";
import { mkdtempDisposable, open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type RawClient, request } from "../testing/raw-client.ts";
import { describeTransports } from "../testing/serve.ts";

/** More than what goes in small blocks and what fills the buffers of both systems. */
const size = 16 * 1024 * 1024;

async function makeFiles(count: number) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-regions-")));
  const files = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const content = randomBytes(size);
      const path = join(folder.path, `${i}`);
      await writeFile(path, content);
      return { content, fd: stack.use(await open(path)).fd };
    }),
  );
  return { files, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function begin(client: RawClient, target: string): Promise<void> {
  await client.send(request(`GET ${target}`)).head();
}

describeTransports(({ serve }) => {
  test("who stops in the middle and goes on later gets all of its own file, whoever was served or left meanwhile", async () => {
    await using made = await makeFiles(3);
    const { files } = made;
    await using server = await serve(async (req, resp) => {
      await resp.sendRegion({ fd: files[Number(req.path.slice(1))]?.fd ?? -1, offset: 0, size });
      return true;
    });
    const [slow, quick, leaving] = [await server.connect(), await server.connect(), await server.connect()];
    await begin(slow, "/0");
    const half = await slow.exactly(size / 2);
    slow.socket.pause();
    await begin(leaving, "/1");
    await leaving.exactly(size / 2);
    leaving.reset();
    await begin(quick, "/2");
    expect((await quick.exactly(size)).equals(files[2]?.content ?? half)).toBe(true);
    slow.socket.resume();
    expect(Buffer.concat([half, await slow.exactly(size / 2)]).equals(files[0]?.content ?? half)).toBe(true);
  });

  test("a stretch behind other content of unknown size goes in chunks", async () => {
    await using made = await makeFiles(1);
    const [file] = made.files;
    await using server = await serve(async (_req, resp) => {
      await resp.echo("begin");
      await resp.sendRegion({ fd: file?.fd ?? -1, offset: 1, size: 200_000 });
      return true;
    });
    const { content } = await server.ask("GET /");
    expect(content.toString("latin1")).toBe(`begin${file?.content.toString("latin1", 1, 200_001)}`);
  });
});
