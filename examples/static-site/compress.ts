// Writes compressed copies beside the files of a folder, for `precompressed` of static. Run it after each build of a
// site.

import { readdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";

const codings = {
  ".br": brotliCompressSync,
  ".zst": zstdCompressSync,
  ".gz": (bytes: Buffer) => gzipSync(bytes, { level: 9 }),
};

/** Images, fonts and archives are already compressed. */
const compressible = /\.(?:css|csv|html|js|json|svg|txt|wasm|xml)$/;

/** Returns the number of copies. A copy that is not smaller is not kept. */
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
      // Under another name first: the server may read it at any moment.
      const unfinished = `${path}${extension}.new`;
      await writeFile(unfinished, compressed);
      // With the file's time: a copy that is older than the file is not sent.
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
