// Lays compressed copies beside the files of a folder, for static's `precompressed`. Run it after each build of a site.

import { readdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";

const codings = {
  ".br": brotliCompressSync,
  ".zst": zstdCompressSync,
  ".gz": (bytes: Buffer) => gzipSync(bytes, { level: 9 }),
};

/** Pictures, fonts and archives are compressed as they are. */
const compressible = /\.(?:css|csv|html|js|json|svg|txt|wasm|xml)$/;

/** Says how many copies it made. One that would be no smaller is not kept. */
export async function compressFolder(folder: string): Promise<number> {
  let copies = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !compressible.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const { atime, mtime } = await stat(path);
    for (const [extension, compress] of Object.entries(codings)) {
      const compressed = compress(bytes);
      if (compressed.length >= bytes.length) continue;
      // Under another name first: the server may look at any moment.
      const unfinished = `${path}${extension}.new`;
      await writeFile(unfinished, compressed);
      // As old as the file: a copy that is older is not sent.
      await utimes(unfinished, atime, mtime);
      await rename(unfinished, path + extension);
      copies++;
    }
  }
  return copies;
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, "web");
  console.log(`${await compressFolder(folder)} compressed copies in ${folder}`);
}
