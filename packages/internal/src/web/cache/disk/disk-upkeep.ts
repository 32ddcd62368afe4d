// The upkeep of a cacher on disk: notes what was used, evicts what is too much, makes a lost index anew, and removes
// what killed processes have left. The primary worker does it for all; use is noted by each.

import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Outage } from "../../../log/outage.ts";
import type { Context, StageFixtures } from "../../../stage/context.ts";
import type { DiskIndex } from "./disk-index.ts";
import type { FilesChanged, ObjectFolder } from "./object-folder.ts";
import { storedFiles } from "./stored-files.ts";
import { headSpace } from "./wobject-file.ts";

/** What the upkeep needs of its cacher. */
export interface DiskUpkeepOptions {
  readonly context: Pick<Context<{ readonly maxSize: number }>, "props" | "log" | "workers"> & {
    readonly stage: Pick<StageFixtures, "clock">;
  };
  readonly objects: ObjectFolder;
  /** Whether no other cacher of this process does it for the same folder. */
  readonly isInCharge: () => boolean;
  /** Absolute: what is being written. */
  readonly writing: string;
  readonly index: () => DiskIndex | undefined;
  /** Makes folder and index anew, which others have removed. */
  readonly reopen: () => Promise<void>;
  /** Removes files by their paths below `objects`. */
  readonly remove: (paths: readonly string[]) => Promise<FilesChanged>;
}

export class DiskUpkeep {
  readonly #options: DiskUpkeepOptions;
  /** Paths that were asked for since the last note of it. */
  readonly #used = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> | undefined;
  readonly #outage: Outage;
  /** When to look again for what killed processes have left: monotonic, in milliseconds. */
  #tidyUntil = 0;
  #isClosed = false;

  constructor(options: DiskUpkeepOptions) {
    this.#options = options;
    this.#outage = new Outage(options.context.log, {
      begins: "the cache on disk cannot be tended",
      ends: "the cache on disk is tended again",
    });
  }

  /** From now on, it runs by itself from time to time. */
  start(): void {
    this.#timer = setInterval(() => this.run(), interval);
    this.run();
  }

  /** Ends `start`. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Settles when it does nothing any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  /** A file was asked for. `path` is absolute. */
  noteUse(path: string): void {
    this.#used.add(path);
  }

  /** Whether it is at it. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Does what there is to do, unless it is at it. */
  run(): void {
    this.#running ??= this.#run()
      .then(
        () => this.#outage.end(),
        (error: unknown) => this.#outage.begin(String(error), { error }),
      )
      .then(() => (this.#running = undefined));
  }

  /** One cacher in one worker does it for all. */
  get #mayTend(): boolean {
    return !this.#isClosed && this.#options.context.workers.isPrimary && this.#options.isInCharge();
  }

  async #run(): Promise<void> {
    const { context, objects } = this.#options;
    const index = this.#options.index();
    if (index === undefined || this.#isClosed) return;
    if (!(await index.isThere())) return await this.#options.reopen();
    const used = [...this.#used].map((path) => objects.below(path));
    this.#used.clear();
    try {
      if (used.length > 0) await index.used(used, context.stage.clock.now());
    } finally {
      // A full disk takes no note of it, and only what is evicted makes room.
      if (this.#mayTend) await this.#tend(index);
    }
  }

  async #tend(index: DiskIndex): Promise<void> {
    if (this.#options.context.stage.clock.monotonic() >= this.#tidyUntil) await this.#removeUnfinished();
    if (!index.isComplete) await this.#makeComplete(index);
    await this.#evict(index);
  }

  async #evict(index: DiskIndex): Promise<void> {
    const { context, remove } = this.#options;
    while (index.size > context.props.maxSize && this.#mayTend) {
      const oldest = index.oldest(context.stage.clock.now());
      const evicted = untilEnough(oldest, index.size - context.props.maxSize);
      if (evicted.length === 0) return;
      const { count, left, failure } = await remove(evicted);
      if (failure === undefined) continue;
      // Others go first from now on.
      await index.used(left, context.stage.clock.now());
      if (count === 0) throw failure;
    }
  }

  /** What killed processes were writing. Another process may have the number of one: in a container, most do. */
  async #removeUnfinished(): Promise<void> {
    const { writing, context } = this.#options;
    this.#tidyUntil = context.stage.clock.monotonic() + tidyTime;
    for (const name of await readdir(writing)) {
      const [, pid] = /^(\d+)-/.exec(name) ?? [];
      if (pid === undefined) continue;
      const path = join(writing, name);
      if (!isRunning(Number(pid)) || (await isIdle(path))) await rm(path, { force: true });
    }
  }

  /** From the files. */
  async #makeComplete(index: DiskIndex): Promise<void> {
    const { objects, remove } = this.#options;
    for await (const files of storedFiles(objects.path)) {
      if (!this.#mayTend) return;
      await Promise.all(
        files.map(async ({ path, stored }) => {
          const below = objects.below(path);
          if (stored === undefined) await remove([below]);
          else if (!index.has(below)) await index.add({ ...stored.head, path: below, size: stored.size + headSpace });
        }),
      );
      // The disk does not wait for the rest.
      await this.#evict(index);
    }
    await index.completed();
  }
}

/** As many of them as have `excess` bytes together. */
function untilEnough(files: readonly { readonly path: string; readonly size: number }[], excess: number): string[] {
  const taken: string[] = [];
  let left = excess;
  for (const { path, size } of files) {
    if (left <= 0) break;
    left -= size;
    taken.push(path);
  }
  return taken;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs as another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Whether nobody has written to it for so long that nobody will. */
async function isIdle(path: string): Promise<boolean> {
  const written = await stat(path).catch(() => undefined);
  return written !== undefined && Date.now() - written.mtimeMs > maxPause;
}

/** In milliseconds. */
const interval = 1000;
/** In milliseconds: workers are killed while others go on. */
const tidyTime = 3_600_000;
/** Of a process that writes a file, in milliseconds. */
const maxPause = 600_000;
