// A folder that is held open: what is done in it is done in this very folder, whatever takes the place of its path.
//
//   open(top) ──> child("a") ──> child("b") ──> unlink("file")
//                 each by the descriptor of the one before: no symbolic link on the way is followed
//
// Node.js has no openat and no unlinkat. On Linux, /proc/self/fd/N leads to a folder by its descriptor. Elsewhere, the
// path has to do.

import { constants, existsSync, type Dirent, type Stats } from "node:fs";
import { type FileHandle, lstat, open, opendir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";

export class HeldFolder implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #path: string;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    const byDescriptor = `/proc/self/fd/${handle.fd}`;
    this.#path = existsSync(byDescriptor) ? byDescriptor : path;
  }

  /** Follows symbolic links. `undefined`: there is no such folder, or it cannot be read. */
  static open(path: string): Promise<HeldFolder | undefined> {
    return HeldFolder.#open(path, constants.O_DIRECTORY);
  }

  static async #open(path: string, flags: number): Promise<HeldFolder | undefined> {
    const handle = await open(path, constants.O_RDONLY | flags).catch(() => undefined);
    return handle === undefined ? undefined : new HeldFolder(handle, path);
  }

  /** A folder in this one. `undefined` also for a symbolic link. */
  child(name: string): Promise<HeldFolder | undefined> {
    return HeldFolder.#open(join(this.#path, name), constants.O_DIRECTORY | constants.O_NOFOLLOW);
  }

  /** What is in it. Throws the error of the system. */
  async *entries(): AsyncGenerator<Dirent, void, void> {
    yield* await opendir(this.#path);
  }

  /** Of this folder. */
  stats(): Promise<Stats> {
    return this.#handle.stat();
  }

  /** `undefined`: it is no file, or gone. */
  async statsOfFile(name: string): Promise<Stats | undefined> {
    const stats = await lstat(join(this.#path, name)).catch(() => undefined);
    return stats?.isFile() === true ? stats : undefined;
  }

  /** Whether it is gone now, and was there. */
  removeFile(name: string): Promise<boolean> {
    return isDone(unlink(join(this.#path, name)));
  }

  /** Whether it is gone now, and was there: one that is not empty stays. */
  removeFolder(name: string): Promise<boolean> {
    return isDone(rmdir(join(this.#path, name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

function isDone(removal: Promise<void>): Promise<boolean> {
  return removal.then(
    () => true,
    () => false,
  );
}
