// Stores uploaded files in a folder until their exchans end.

import { open, readdir, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, SingleFlight } from "@hemi/common";
import type { ErrorLog } from "../../../log/error-log.ts";
import { HTTPError } from "../../http-error.ts";
import type { FilePart } from "./form-part.ts";
import { GatheringWriter } from "./gathering-writer.ts";
import { UploadedFile } from "./uploaded-file.ts";
import { isLeftOver, makeUploadName } from "./upload-name.ts";

const sweeps = new SingleFlight<void>();

/** The uploads of one rule. Other rules may use the same folder. */
export class Uploads {
  readonly #folder: string;
  /** The uploads whose exchans have not ended. */
  readonly #kept = new Set<string>();
  readonly #removals = new Set<Promise<boolean>>();
  readonly #log: ErrorLog;

  /** `folder` is absolute. It is created at the first upload, with its parents, accessible only to the current user. */
  constructor(folder: string, log: ErrorLog) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Removes files that killed processes have left behind. Thousands of rules may have one folder: it is read once. */
  sweep(): Promise<void> {
    return sweeps.run(this.#folder, () => this.#sweep());
  }

  async #sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (!isMissing(error)) this.#log.warn("the folder for uploads cannot be read", { folder: this.#folder, error });
      return [];
    });
    const removals = names.filter(isLeftOver).map((name) => this.#remove(join(this.#folder, name)));
    const count = (await Promise.all(removals)).filter(Boolean).length;
    if (count > 0) this.#log.info("removed uploads that a killed process had left", { folder: this.#folder, count });
  }

  /**
   * Reads a file of a form completely. Throws HTTPError 507 if the disk is full, 500 if the folder cannot be used, and
   * errors of reading.
   */
  async keep(part: FilePart): Promise<UploadedFile> {
    const { path, file } = await this.#create();
    const writer = new GatheringWriter(file, (error) => this.#failed(error));
    let size = 0;
    try {
      for await (const piece of part) {
        size += piece.length;
        await writer.write(piece);
      }
      await writer.flush();
      await file.close();
    } catch (error) {
      await file.close().catch(() => {});
      void this.#remove(path);
      throw error;
    }
    return new UploadedFile(part, { path, size, release: () => this.#kept.delete(path) });
  }

  /** Removes an upload with its file, unless it was moved. */
  drop({ path }: UploadedFile): void {
    if (this.#kept.has(path)) void this.#remove(path);
  }

  /** Removes all stored uploads. */
  async close(): Promise<void> {
    for (const path of this.#kept) void this.#remove(path);
    await Promise.all(this.#removals);
  }

  async #create(): Promise<{ readonly path: string; readonly file: FileHandle }> {
    const path = join(this.#folder, makeUploadName());
    this.#kept.add(path);
    try {
      // "x": never opens an existing file or follows a link.
      const file = await open(path, "wx", 0o600).catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        await makeFolder(this.#folder, 0o700);
        return await open(path, "wx", 0o600);
      });
      return { path, file };
    } catch (error) {
      this.#kept.delete(path);
      return this.#failed(error);
    }
  }

  /** Returns whether it existed. Failures are logged. */
  #remove(path: string): Promise<boolean> {
    const removal = unlink(path)
      .then(() => true)
      .catch((error: unknown) => {
        if (!isMissing(error)) this.#log.error("an upload cannot be removed", { file: path, error });
        return false;
      })
      .finally(() => {
        this.#kept.delete(path);
        this.#removals.delete(removal);
      });
    this.#removals.add(removal);
    return removal;
  }

  #failed(cause: unknown): never {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isFull = fullCodes.includes(codeOf(cause) ?? "");
    throw new HTTPError(isFull ? 507 : 500, `an upload cannot be kept in ${this.#folder}: ${reason}`, { cause });
  }
}

/** The disk, the user's quota, or the file size limit is exhausted. */
const fullCodes: readonly string[] = ["ENOSPC", "EDQUOT", "EFBIG"];

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
