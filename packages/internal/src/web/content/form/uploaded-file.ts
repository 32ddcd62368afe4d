// A file that came with a form, while it is kept.

import { constants, copyFile, link, open, readFile, unlink } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { HemiError } from "../../../errors/hemi-error.ts";
import type { FilePart } from "./form-part.ts";

/** Where an upload is kept, and who removes it. */
export interface KeptUpload {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** It is no longer there, or no longer ours to remove. */
  release(): void;
}

/** Is removed when the exchan ends, unless it was moved. What cannot be read or written throws HEMI_FILE. */
export class UploadedFile {
  /** Of the field that it came in. */
  readonly fieldName: string;
  /** As the client sent it: any text, such as `../../x`. Never a path. */
  readonly fileName: string;
  /** What `fileName` comes to as the name of a file, without folders; never empty. Two files may have the same one. */
  readonly safeName: string;
  /** What the client says, in lower case, without parameters; "" if it does not. Nobody has looked whether it is so. */
  readonly mediaType: string;
  /** In bytes. */
  readonly size: number;
  readonly #kept: KeptUpload;
  #path: string;

  /** For the engine. */
  constructor(part: FilePart, kept: KeptUpload) {
    this.fieldName = part.name;
    this.fileName = part.fileName;
    this.safeName = part.safeName;
    this.mediaType = part.mediaType;
    this.size = kept.size;
    this.#kept = kept;
    this.#path = kept.path;
  }

  /** Absolute: where it is now. Nothing in it comes from the client. */
  get path(): string {
    return this.#path;
  }

  /** All of it, in memory. */
  async bytes(): Promise<Uint8Array> {
    return await readFile(this.#path).catch((cause: unknown) => this.#failed("read", cause));
  }

  /** Piece by piece. May be called again. */
  async *stream(): AsyncGenerator<Uint8Array, void, void> {
    const file = await open(this.#path).catch((cause: unknown) => this.#failed("opened", cause));
    try {
      const pieces: AsyncIterable<Buffer> = file.createReadStream({ autoClose: false });
      yield* pieces;
    } finally {
      await file.close();
    }
  }

  /**
   * Gives it a place where it stays, with the rights of 0600. `path` is absolute, and its folder is there; a file of that name is never replaced: then this
   * throws HEMI_FILE. To another file system it is copied.
   */
  async moveTo(path: string): Promise<void> {
    if (!isAbsolute(path)) throw new HemiError("HEMI_USAGE", `moveTo takes an absolute path, not ${path}`);
    if (this.#path !== this.#kept.path) {
      throw new HemiError("HEMI_USAGE", `the upload has been moved already, to ${this.#path}`);
    }
    try {
      await placeAt(path, this.#path);
      // Where the exchan has ended meanwhile, it is gone already.
      await unlink(this.#path).catch((error: unknown) => {
        if (!isOneOf(error, ["ENOENT"])) throw error;
      });
    } catch (cause) {
      this.#failed(`moved to ${path}`, cause);
    }
    this.#path = path;
    this.#kept.release();
  }

  #failed(done: string, cause: unknown): never {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_FILE", `the upload ${this.#path} could not be ${done}: ${reason}`, { cause });
  }
}

/** A link, unlike renaming, never replaces what is there. */
async function placeAt(path: string, upload: string): Promise<void> {
  try {
    await link(upload, path);
  } catch (error) {
    if (!isOneOf(error, ["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "ENOSYS"])) throw error;
    await copyFile(upload, path, constants.COPYFILE_EXCL).catch(async (error: unknown) => {
      if (!isOneOf(error, ["EEXIST"])) await unlink(path).catch(() => {});
      throw error;
    });
  }
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}
