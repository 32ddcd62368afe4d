// diskCacher: stores responses in files.
//
//   folder/objects/ab/cdef…/0123…     one file for each response: by the hashes of its key and of its variant
//   folder/writing/…                  files that are being written; they are renamed when they are complete
//   folder/index-….sqlite             what there is, by URL, tag and last use: disk-index.ts

import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "@hemi/common";
import { LRUCache } from "lru-cache";
import { crc32 } from "node:zlib";
import { prop } from "../../../component/prop.ts";
import type { PropsOf } from "../../../component/props/prop-type.ts";
import { PropError } from "../../../component/prop-error.ts";
import { Outage } from "../../../log/outage.ts";
import type { Context } from "../../../stage/context.ts";
import { memorySource } from "../../response/source.ts";
import { defineCacher } from "../cacher.ts";
import type { CacherPart, PurgeOptions, PurgeSelector, WobjectWriter } from "../cacher.ts";
import type { OpenWrite } from "../open-writes.ts";
import { SpreadPurges } from "../spread-purges.ts";
import { madeAt, type Wobject, type WobjectHead } from "../wobject.ts";
import { DiskIndex } from "./disk-index.ts";
import { purgeFiles } from "./disk-purge.ts";
import { DiskSource } from "./disk-source.ts";
import { DiskUpkeep } from "./disk-upkeep.ts";
import { DiskWobject } from "./disk-wobject.ts";
import { FolderUse } from "./folder-use.ts";
import { type FilesChanged, ObjectFolder } from "./object-folder.ts";
import { isLeftBy, isSelectedBy } from "./pending-purges.ts";
import { SharedWalks } from "./shared-walks.ts";
import {
  appendHead,
  closeFile,
  copyWithHead,
  headSpace,
  openFile,
  readAt,
  readStored,
  writeWobject,
} from "./wobject-file.ts";

const props = {
  /** The folder for the responses, which only one cacher may have. Default: `cache` in `%varsDir`. */
  folder: prop.path({ default: "cache", defaultIn: "varsDir" }),
  /** The space for responses with their heads, in bytes. Those that were not asked for the longest time are evicted. */
  maxSize: prop.size({ default: "1G", min: "64K", reload: "live" }),
  /** The largest content that is stored, in bytes: it is in memory until it is complete. */
  maxWobjectSize: prop.size({ default: "16M", min: 1, reload: "live" }),
  /** Variants of one resource; with one more, the oldest is dropped. */
  maxVariants: prop.integer({ default: 50, min: 1, max: 10_000, reload: "live" }),
  /** The memory of each worker for what is asked for often: small contents, and open files of large ones. */
  memory: prop.size({ default: "16M", min: "64K" }),
};

type DiskCacherProps = PropsOf<typeof props>;

/**
 * Stores responses in files, which all workers read and which outlive the program. Checksums find what was cut or
 * changed by others. What cannot be written, because the disk is full for instance, is served all the same.
 */
export const diskCacher = defineCacher({
  sign: "diskCacher",
  aliases: ["localCacher"],
  props,
  check({ props, claim }) {
    claim({ prop: "folder", what: `the folder ${props.folder} of a cacher` });
  },
  create: (context): CacherPart => new DiskCacher(context),
});

class DiskCacher implements CacherPart {
  readonly isShared = true;
  readonly #context: Context<DiskCacherProps>;
  readonly #objects: ObjectFolder;
  readonly #walks: SharedWalks;
  readonly #use: FolderUse;
  readonly #spread: SpreadPurges;
  /** What was looked up lately. Another worker may have stored something since: it counts for a second. */
  readonly #known: LRUCache<string, readonly DiskWobject[]>;
  readonly #loads = new Map<string, Promise<readonly DiskWobject[]>>();
  /** What must be over before anything is looked up: heads that are appended, and removals of what is no good. */
  readonly #pending = new Set<Promise<unknown>>();
  /** What is being written. */
  readonly #stores = new Set<Promise<unknown>>();
  readonly #upkeep: DiskUpkeep;
  readonly #outage: Outage;
  /** Files that are of no use, and cannot be removed. Each is told once. */
  readonly #useless = new LRUCache<string, true>({ max: maxKnown });
  #index: DiskIndex | undefined;
  #isClosed = false;

  constructor(context: Context<DiskCacherProps>) {
    this.#context = context;
    const { props, workers, name, log } = context;
    this.#objects = new ObjectFolder(join(props.folder, "objects"));
    this.#walks = new SharedWalks(this.#objects.path);
    this.#use = new FolderUse(props.folder, () => this.#known.clear());
    this.#upkeep = new DiskUpkeep({
      context,
      objects: this.#objects,
      writing: join(props.folder, "writing"),
      isInCharge: () => this.#use.isInCharge,
      index: () => this.#index,
      reopen: () => this.#reopen(),
      remove: (paths) => this.#remove(paths),
    });
    this.#outage = new Outage(log, {
      begins: "responses cannot be stored on disk",
      ends: "responses are stored on disk again",
    });
    this.#spread = new SpreadPurges({ workers, name, log }, (selector, options) => this.purge(selector, options));
    this.#known = new LRUCache<string, readonly DiskWobject[]>({
      max: maxKnown,
      maxSize: props.memory,
      ttl: knownTime,
      sizeCalculation: (wobjects) => wobjects.reduce((sum, one) => sum + 1000 + (one.source.content?.length ?? 0), 500),
      dispose: (wobjects) => wobjects.forEach((one) => one.release()),
    });
  }

  get maxWobjectSize(): number {
    return Math.min(this.#context.props.maxWobjectSize, Math.floor(this.#context.props.maxSize / 4));
  }

  // ---- life cycle ----

  async prepare(): Promise<void> {
    const { folder } = this.#context.props;
    this.#use.join();
    try {
      this.#index = await this.#open();
    } catch (error) {
      throw new PropError("folder", "HEMI_FILE", `${folder} cannot be used: ${String(error)}`, { cause: error });
    }
  }

  async #open(): Promise<DiskIndex> {
    const { folder } = this.#context.props;
    await makeFolder(this.#objects.path);
    await makeFolder(join(folder, "writing"));
    return await DiskIndex.open(folder);
  }

  async #reopen(): Promise<void> {
    const old = this.#index;
    this.#index = await this.#open();
    this.#known.clear();
    const { folder } = this.#context.props;
    this.#context.log.warn("the folder of stored responses was removed by others, and is made anew", { folder });
    // They may still use it.
    await Promise.allSettled([...this.#stores, ...this.#pending, this.#use.purges.settled()]);
    await old?.close();
  }

  start(): void {
    this.#use.takeCharge();
    this.#upkeep.start();
  }

  async shutdown(): Promise<void> {
    this.#upkeep.stop();
    await Promise.allSettled(this.#stores);
    this.#isClosed = true;
    this.#spread.close();
    const work = [...this.#pending, this.#use.purges.settled(), ...this.#loads.values(), this.#upkeep.close()];
    await Promise.allSettled(work);
    this.#known.clear();
    this.#use.leave();
    await this.#index?.close();
  }

  // ---- looking up ----

  lookup(key: string): readonly Wobject[] | Promise<readonly Wobject[]> {
    const known = this.#pending.size === 0 ? this.#known.get(key) : undefined;
    if (known === undefined) return this.#load(key);
    for (const { path } of known) this.#upkeep.noteUse(path);
    return known;
  }

  async #load(key: string): Promise<readonly DiskWobject[]> {
    const lookup = this.#use.writes.begin();
    try {
      // Only for what has begun before: those that come all the time must not keep it waiting without end.
      if (this.#pending.size > 0) await Promise.allSettled(this.#pending);
      const running = this.#loads.get(key);
      if (running !== undefined) return await running;
      const load = this.#read(key, lookup).finally(() => this.#loads.delete(key));
      this.#loads.set(key, load);
      return await load;
    } finally {
      this.#use.writes.end(lookup);
    }
  }

  /** Without what is being purged, or was since the lookup began: it may still be there. */
  async #read(key: string, lookup: OpenWrite): Promise<readonly DiskWobject[]> {
    const purges = this.#use.purges.current();
    const folder = this.#objects.folderOf(key);
    const names = await readdir(folder).catch(() => []);
    const read = await Promise.all(names.map((name) => this.#openFile(join(folder, name), key)));
    const found = read.filter((one) => one !== undefined);
    // The most recent comes first: it is the one to use where several match.
    found.sort((one, other) => madeAt(other.head) - madeAt(one.head) || other.writtenAt - one.writtenAt);
    const wasPurged = lookup.purges.length > 0 || found.some((one) => isSelectedBy(purges, one));
    // Another worker may be storing it just now.
    const mayKeep = found.length > 0 && !wasPurged && !this.#isClosed;
    if (!mayKeep || !this.#known.set(key, found).has(key)) for (const one of found) one.release();
    const good = wasPurged ? found.filter((one) => isLeftBy(purges, one) && !lookup.isPurged(one.head)) : found;
    for (const { path } of good) this.#upkeep.noteUse(path);
    return good;
  }

  /** `undefined`: there is no such file, or it is no good; then it is removed. */
  async #openFile(path: string, key: string): Promise<DiskWobject | undefined> {
    const fd = await openFile(path, "r").catch(() => undefined);
    if (fd === undefined) return undefined;
    let isKept = false;
    try {
      const stored = await readStored(fd);
      if (stored?.head.key !== key) return this.#damaged(path);
      const { size, sum } = stored;
      if (size > maxInMemory) {
        isKept = true;
        return new DiskWobject(path, new DiskSource(path, fd, stored, (error) => this.#damaged(path, error)), stored);
      }
      const content = await readAt(fd, 0, size);
      if (content === undefined || crc32(content) !== sum) return this.#damaged(path);
      return new DiskWobject(path, memorySource(content), stored);
    } catch (error) {
      return this.#damaged(path, error);
    } finally {
      if (!isKept) await closeFile(fd);
    }
  }

  /** `error`: why it cannot be read; otherwise its checksums are wrong. */
  #damaged(path: string, error?: unknown): undefined {
    if (this.#useless.has(path)) return undefined;
    if (error === undefined) {
      this.#context.log.warn("a stored response was cut or changed by others, and is removed", { path });
    } else this.#context.log.warn("a stored response cannot be read, and is removed", { path, error });
    this.#useless.set(path, true);
    const removing = this.#remove([this.#objects.below(path)]);
    this.#wait(removing.then(({ left }) => left.length > 0 || this.#useless.delete(path)));
    return undefined;
  }

  // ---- storing ----

  begin(): WobjectWriter {
    const write = this.#use.writes.begin();
    const pieces: Uint8Array[] = [];
    return {
      write: (piece) => void pieces.push(piece),
      commit: (head) => {
        const store = this.#store(write, head, pieces)
          .catch((error: unknown) => {
            this.#outage.begin(String(error), { error });
            return undefined;
          })
          .finally(() => {
            this.#use.writes.end(write);
            this.#stores.delete(store);
          });
        this.#stores.add(store);
        return store;
      },
      abort: () => this.#use.writes.end(write),
      isPurged: (head) => write.isPurged(head),
    };
  }

  async #store(write: OpenWrite, head: WobjectHead, pieces: readonly Uint8Array[]): Promise<Wobject | undefined> {
    const index = this.#index;
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    // A fetch in the background may end after its cacher, which a reload has replaced.
    if (index === undefined || this.#isClosed || size > this.maxWobjectSize || write.isPurged(head)) return undefined;
    const path = this.#objects.fileOf(head.key, head.variant);
    const temporary = this.#newTemporary();
    let isMovedIn = false;
    try {
      const content = await writeWobject(temporary, pieces, head);
      // It is in the index before it can be found: a purge by tag must not miss it.
      await index.add({ ...head, path: this.#objects.below(path), size: size + headSpace });
      if (!write.isPurged(head)) {
        await this.#objects.moveIn(path, temporary);
        isMovedIn = true;
        this.#outage.end();
      }
      if (write.isPurged(head)) {
        await this.#remove([this.#objects.below(path)]);
        return undefined;
      }
      this.#known.delete(head.key);
      const surplus = index.surplus(head.key, this.#context.props.maxVariants, this.#context.stage.clock.now());
      if (surplus.length > 0) await this.#remove(surplus);
      if (this.#context.workers.isPrimary && index.size > this.#context.props.maxSize) this.#upkeep.run();
      return new DiskWobject(path, memorySource(Buffer.concat(pieces)), { ...content, head, writtenAt: 0 });
    } finally {
      if (!isMovedIn) await rm(temporary, { force: true });
    }
  }

  freshen(wobject: Wobject, head: WobjectHead): void {
    if (!(wobject instanceof DiskWobject)) return;
    wobject.head = head;
    // If it was purged, the file is not there.
    this.#wait(this.#replaceHead(wobject, head));
    this.#known.delete(head.key);
  }

  async #replaceHead({ path, content }: DiskWobject, head: WobjectHead): Promise<void> {
    const write = this.#use.writes.begin();
    const temporary = this.#newTemporary();
    try {
      if (await appendHead(path, head, content)) {
        // A soft purge may have found the head before.
        if (write.isPurged(head)) await this.#objects.outdate([this.#objects.below(path)]);
        return;
      }
      const isCopied = await copyWithHead(path, temporary, head, content);
      if (isCopied && !write.isPurged(head)) await this.#objects.moveIn(path, temporary);
      if (write.isPurged(head)) await this.#remove([this.#objects.below(path)]);
    } finally {
      this.#use.writes.end(write);
      await rm(temporary, { force: true });
    }
  }

  #newTemporary(): string {
    return join(this.#context.props.folder, "writing", `${process.pid}-${randomUUID()}`);
  }

  // ---- purging and evicting ----

  purge(selector: PurgeSelector, options: PurgeOptions = {}): Promise<number> {
    const { isDryRun = false } = options;
    if (!isDryRun) {
      this.#use.writes.note(selector);
      this.#use.forgetAll();
      this.#spread.tell(selector, options);
    }
    const purge = this.#purge(selector, options);
    if (!isDryRun) this.#use.purges.add(selector, options.isSoft === true, purge);
    return purge;
  }

  async #purge(selector: PurgeSelector, options: PurgeOptions): Promise<number> {
    const index = this.#index;
    if (index === undefined) return 0;
    const remove = (paths: readonly string[]): Promise<FilesChanged> => this.#remove(paths);
    return await purgeFiles({ index, objects: this.#objects, walks: this.#walks, remove }, selector, options);
  }

  /**
   * The files go first: what is in the index and not on disk does no harm. What cannot be removed stays in the index:
   * a later purge must not miss it.
   */
  async #remove(paths: readonly string[]): Promise<FilesChanged> {
    const index = this.#index;
    const lastId = index?.lastId ?? 0;
    const removed = await this.#objects.remove(paths);
    this.#known.clear();
    const left = new Set(removed.left);
    const gone = paths.filter((path) => !left.has(path));
    // Others may have stored something there since: a later purge must not miss it.
    await index?.remove(gone, lastId);
    return removed;
  }

  #wait(work: Promise<unknown>): void {
    const settled: Promise<void> = work.then(ignore, ignore).finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
  }
}

function ignore(): void {}

/** Larger content is read when it is sent, in bytes. */
const maxInMemory = 64 * 1024;
/** Keys; each may have an open file. */
const maxKnown = 1000;
/** In milliseconds. */
const knownTime = 1000;
