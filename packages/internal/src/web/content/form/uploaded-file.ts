// An uploaded file while it is stored.

import { constants, copyFile, link, open, readFile, unlink } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { HemiError } from "../../../errors/hemi-error.ts";
import type { FilePart } from "./form-part.ts";

/** The location of a stored upload, and its owner. */
export interface KeptUpload {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Reports that the file was moved or removed, so that it is not removed again. */
  release(): void;
}

/** Removed when the exchan ends, unless it was moved. Throws HEMI_FILE if it cannot be read or written. */
export class UploadedFile {
  /** The name of its field. */
  readonly fieldName: string;
  /** The name that the client sent: any text, such as `../../x`. Never use it as a path. */
  readonly fileName: string;
  /** A safe file name made from `fileName`, without folders; never empty. Two files may have the same one. */
  readonly safeName: string;
  /** The type that the client sent, in lower case and without parameters; "" if none. It is not verified. */
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

  /** The absolute current path. No part of it comes from the client. */
  get path(): string {
    return this.#path;
  }

  /** The whole content, in memory. */
  async bytes(): Promise<Uint8Array> {
    return await readFile(this.#path).catch((cause: unknown) => this.#failed("read", cause));
  }

  /** The content in pieces. May be called again. */
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
   * Moves it to a permanent place, with mode 0600. `path` is absolute, and its folder must exist. An existing file is
   * never replaced: this throws HEMI_FILE. To another file system, it is copied.
   */
  async moveTo(path: string): Promise<void> {
    if (!isAbsolute(path)) throw new HemiError("HEMI_USAGE", `moveTo takes an absolute path, not ${path}`);
    if (this.#path !== this.#kept.path) {
      throw new HemiError("HEMI_USAGE", `the upload has been moved already, to ${this.#path}`);
    }
    try {
      await placeAt(path, this.#path);
      // If the exchan has ended meanwhile, the file is already removed.
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

/** Unlike a rename, a link never replaces an existing file. */
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
