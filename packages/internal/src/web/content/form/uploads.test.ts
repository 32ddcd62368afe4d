import { mkdtempDisposable, readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openErrorLog } from "../../../log/error-log.ts";
import { MemorySink } from "../../../log/sink.ts";
import type { FilePart } from "./form-part.ts";
import { gatheredSize } from "./gathering-writer.ts";
import { Uploads } from "./uploads.ts";

async function makeUploads() {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-uploads-"));
  const uploads = new Uploads(folder.path, openErrorLog({ sink: new MemorySink() }));
  return {
    uploads,
    /** Of the one file that is there: bytes. */
    async sizeOnDisk(): Promise<number> {
      const [name = ""] = await readdir(folder.path);
      return (await stat(join(folder.path, name))).size;
    },
    count: async () => (await readdir(folder.path)).length,
    async [Symbol.asyncDispose]() {
      await uploads.close();
      await folder.remove();
    },
  };
}

function partOf(pieces: () => AsyncGenerator<Uint8Array, void, void>): FilePart {
  const names = { name: "f", fileName: "x.bin", safeName: "x.bin", mediaType: "" };
  return { kind: "file", ...names, [Symbol.asyncIterator]: pieces };
}

test("a file that comes byte by byte is written in large pieces, of which one is held in memory", async () => {
  await using kit = await makeUploads();
  const size = 2 * gatheredSize + 1000;
  const sizes = new Set<number>();
  const piece = new Uint8Array(1);
  const upload = await kit.uploads.keep(
    partOf(async function* () {
      for (let i = 0; i < size; i++) {
        // The same memory again, as of a connection that reads into it.
        piece[0] = i;
        yield piece;
        if (i % 100 === 0) sizes.add(await kit.sizeOnDisk());
      }
    }),
  );
  expect([...sizes]).toEqual([0, gatheredSize, 2 * gatheredSize]);
  expect(upload.size).toBe(size);
  expect(
    Buffer.compare(
      await upload.bytes(),
      Uint8Array.from({ length: size }, (_, i) => i),
    ),
  ).toBe(0);
});

test("a file is kept as it came, whatever its pieces", async () => {
  const length = fc.oneof(fc.nat(10), fc.nat(3 * gatheredSize), fc.constantFrom(gatheredSize, gatheredSize - 1));
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 8 }), async (lengths) => {
      await using kit = await makeUploads();
      const pieces = lengths.map((length, i) => Buffer.alloc(length, i + 1));
      const upload = await kit.uploads.keep(
        partOf(async function* () {
          yield* pieces;
        }),
      );
      expect(Buffer.compare(await upload.bytes(), Buffer.concat(pieces))).toBe(0);
      expect(upload.size).toBe(Buffer.concat(pieces).length);
    }),
    { numRuns: 20 },
  );
});

test("a file whose content breaks off is removed", async () => {
  await using kit = await makeUploads();
  const part = partOf(async function* () {
    yield Buffer.from("some");
    throw new Error("it broke off");
  });
  await expect(kit.uploads.keep(part)).rejects.toThrow("it broke off");
  await kit.uploads.close();
  expect(await kit.count()).toBe(0);
});
