// Keeps files that came with forms in a folder, for as long as their exchans last.

import { mkdir, open, readdir, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { ErrorLog } from "../../../log/error-log.ts";
import { HTTPError } from "../../http-error.ts";
import type { FilePart } from "./form-part.ts";
import { GatheringWriter } from "./gathering-writer.ts";
import { UploadedFile } from "./uploaded-file.ts";
import { isLeftOver, makeUploadName } from "./upload-name.ts";

/** The uploads of one rule. Others may keep theirs in the same folder. */
export class Uploads {
  readonly #folder: string;
  /** Whose end has not come yet. */
  readonly #kept = new Set<string>();
  readonly #removals = new Set<Promise<boolean>>();
  readonly #log: ErrorLog;

  /** `folder` is absolute. It is created when the first upload comes, with its parents, for nobody but us. */
  constructor(folder: string, log: ErrorLog) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Removes what processes that were killed have left behind. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (!isMissing(error)) this.#log.warn("the folder for uploads cannot be read", { folder: this.#folder, error });
      return [];
    });
    const removals = names.filter(isLeftOver).map((name) => this.#remove(join(this.#folder, name)));
    const count = (await Promise.all(removals)).filter(Boolean).length;
    if (count > 0) this.#log.info("removed uploads that a killed process had left", { folder: this.#folder, count });
  }

  /** Reads a file of a form to its end. Throws HTTPError 507 when the disk is full, 500 when the folder cannot be used, and what reading throws. */
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

  /** Forgets an upload with its file, unless it was moved. */
  drop({ path }: UploadedFile): void {
    if (this.#kept.has(path)) void this.#remove(path);
  }

  /** Removes all that is still kept. */
  async close(): Promise<void> {
    for (const path of this.#kept) void this.#remove(path);
    await Promise.all(this.#removals);
  }

  async #create(): Promise<{ readonly path: string; readonly file: FileHandle }> {
    const path = join(this.#folder, makeUploadName());
    this.#kept.add(path);
    try {
      // "x": never one that is there, nor what a link of that name points to.
      const file = await open(path, "wx", 0o600).catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        await mkdir(this.#folder, { recursive: true, mode: 0o700 });
        return await open(path, "wx", 0o600);
      });
      return { path, file };
    } catch (error) {
      this.#kept.delete(path);
      return this.#failed(error);
    }
  }

  /** Was it there? What cannot be removed is in the log. */
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

/** The disk, the user's share of it, or what a file may have is used up. */
const fullCodes: readonly string[] = ["ENOSPC", "EDQUOT", "EFBIG"];

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
