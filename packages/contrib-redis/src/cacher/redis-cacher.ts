// redisCacher: stores responses in Redis, for all machines.

import {
  addonKind,
  type CacherPart,
  type Context,
  defineCacher,
  type Fields,
  memorySource,
  prop,
  type PropsOf,
  type PurgeOptions,
  type PurgeSelector,
  selects,
  type Source,
  type Wobject,
  type WobjectHead,
  type WobjectWriter,
} from "@hemi/internal";
import { LRUCache } from "lru-cache";
import { Outage } from "../failure.ts";
import type { Lane } from "../lane.ts";
import { redisLink } from "../link.ts";
import { ChunkedSource } from "./chunked-source.ts";
import { LateSource } from "./late-source.ts";
import { type LoggedPurge, type LogPosition, PurgeLog } from "./purge-log.ts";
import { chunkSize, type FoundRecord, WobjectStore } from "./wobject-store.ts";

const props = {
  /** The `redis` that stores the responses. */
  redis: prop.reference(addonKind, { required: true, offering: redisLink }),
  /** The largest content that is stored, in bytes: it is in memory until it is complete. */
  maxWobjectSize: prop.size({ default: "16M", min: 1, max: "256M", reload: "live" }),
  /** Variants of one resource; with one more, the oldest is dropped. */
  maxVariants: prop.integer({ default: 50, min: 1, max: 10_000, reload: "live" }),
  /**
   * How long a response is kept after it was stored or validated last, fresh or not. Redis may evict it earlier, as its
   * `maxmemory-policy` says.
   */
  retention: prop.duration({ default: "1d", min: "1s", max: "365d", reload: "live" }),
  /** What each worker may be storing at once, in bytes; further responses are not stored. */
  maxStoring: prop.size({ default: "64M", min: "64K", reload: "live" }),
};

type RedisCacherProps = PropsOf<typeof props>;

/**
 * Stores responses in Redis, so that all machines see the same ones: put a memCacher over it. Give it a Redis with
 * `maxmemory` and the policy `allkeys-lru` or `allkeys-lfu`. A purge holds on all machines at once, and for the
 * memCachers over it within a second. While Redis is down, slow or full, nothing is found and nothing stored, and a
 * purge fails; clients are served by the backend.
 */
export const redisCacher = defineCacher({
  sign: "redisCacher",
  props,
  create: (context): CacherPart => new RedisCacher(context),
});

class RedisWobject implements Wobject {
  head: WobjectHead;
  readonly source: Source;
  readonly found: FoundRecord;
  /** It was good then. */
  goodAt: LogPosition;

  constructor(found: FoundRecord, { head, source, goodAt }: Pick<RedisWobject, "head" | "source" | "goodAt">) {
    this.found = found;
    this.head = head;
    this.source = source;
    this.goodAt = goodAt;
  }
}

class RedisCacher implements CacherPart {
  readonly isShared = true;
  readonly #context: Context<RedisCacherProps>;
  readonly #log: PurgeLog;
  readonly #store: WobjectStore;
  readonly #outage: Outage;
  readonly #listeners = new Set<(selector: PurgeSelector, options: PurgeOptions) => void>();
  /** By id. A second look at what has not changed gives the same object, so that a cacher above can tell. */
  readonly #recent = new LRUCache<string, RedisWobject>({ max: maxRecent, ttl: recentTime });
  /** Heads that are being written: whatever is looked up after them has them. */
  readonly #pending = new Set<Promise<void>>();
  /** In bytes. */
  #storing = 0;
  #timer: NodeJS.Timeout | undefined;
  #isPolling = false;

  constructor(context: Context<RedisCacherProps>) {
    this.#context = context;
    const lane = () => this.#lane;
    const prefix = () => `${context.props.redis.current.keyPrefix}cache:${context.name}:`;
    this.#log = new PurgeLog({ lane, prefix, purged: (purge) => this.#tell(purge) });
    this.#store = new WobjectStore({ lane, prefix, retention: () => context.props.retention });
    this.#outage = new Outage(context.log, {
      begins: "responses cannot be stored in Redis or found there",
      ends: "responses are stored in Redis again",
    });
  }

  get maxWobjectSize(): number {
    return Math.min(this.#context.props.maxWobjectSize, this.#context.props.maxStoring);
  }

  // ---- life cycle ----

  async prepare(): Promise<void> {
    await this.#lane.settled();
    await this.#log.refresh().catch((error: unknown) => this.#outage.begin(error));
  }

  /** Connects to another Redis after a reload. */
  compose(): void {
    this.#context.props.redis.current.lane("contents");
  }

  start(): void {
    this.#timer = setInterval(() => this.#poll(), pollInterval).unref();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#pending);
  }

  // ---- looking up ----

  async lookup(key: string, fields?: Fields): Promise<readonly Wobject[]> {
    try {
      while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
      const reading = this.#store.read(key, fields);
      // Sent after the question for the records: no purge can be missed in between.
      const [found] = await Promise.all([reading, this.#log.refresh()]);
      this.#outage.end();
      return found.map((one) => this.#goodOne(one)).filter((one) => one !== undefined);
    } catch (error) {
      this.#outage.begin(error);
      return [];
    }
  }

  #goodOne(found: FoundRecord): RedisWobject | undefined {
    const { record } = found;
    const { stored } = record;
    const goodAt = this.#log.position;
    const purge = this.#log.purgeOf(stored.since, stored.head);
    if (goodAt === undefined || purge === "hard") return undefined;
    const isOutdated = stored.head.isOutdated || purge === "soft";
    const known = this.#recent.get(record.id);
    const isSame = known?.found.record.text === record.text && known.head.isOutdated === isOutdated;
    const isKnown = isSame && (known.found.record.content !== undefined || record.content === undefined);
    const head = isOutdated ? { ...stored.head, isOutdated } : stored.head;
    const wobject = isKnown ? known : new RedisWobject(found, { head, source: this.#sourceOf(found), goodAt });
    wobject.goodAt = goodAt;
    this.#recent.set(record.id, wobject);
    if (this.#log.isLongAgo(stored.since)) this.freshen(wobject, wobject.head);
    return wobject;
  }

  #sourceOf(found: FoundRecord): Source {
    const { id, content, stored } = found.record;
    if (content === undefined) return new LateSource(stored.size, () => this.#store.contentOf(found));
    if (!stored.isChunked) return memorySource(content);
    const key = this.#store.contentKey(found.hash, id);
    return new ChunkedSource({ size: stored.size, chunkSize, key, lane: () => this.#lane });
  }

  // ---- storing ----

  begin(): WobjectWriter {
    const since = this.#log.position;
    const pieces: Uint8Array[] = [];
    return {
      write: (piece) => void pieces.push(piece),
      commit: (head) => this.#commit(head, since, pieces),
      abort: () => {},
      isPurged: (head) => since !== undefined && this.#log.purgeOf(since, head) !== undefined,
    };
  }

  async #commit(
    head: WobjectHead,
    since: LogPosition | undefined,
    pieces: readonly Uint8Array[],
  ): Promise<Wobject | undefined> {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    // Nobody knows which purges were missed while Redis could not be asked.
    if (since === undefined || size > this.maxWobjectSize) return undefined;
    if (this.#storing + size > this.#context.props.maxStoring) return undefined;
    this.#storing += size;
    try {
      await this.#log.refresh();
      if (this.#log.purgeOf(since, head) !== undefined) return undefined;
      const found = await this.#store.write({ head, since, pieces }, this.#context.props.maxVariants);
      this.#outage.end();
      return new RedisWobject(found, { head, source: this.#sourceOf(found), goodAt: since });
    } catch (error) {
      this.#outage.begin(error);
      return undefined;
    } finally {
      this.#storing -= size;
    }
  }

  freshen(wobject: Wobject, head: WobjectHead): void {
    if (!(wobject instanceof RedisWobject)) return;
    const { found, goodAt } = wobject;
    wobject.head = head;
    this.#recent.delete(found.record.id);
    const freshened = this.#store
      .freshen(found, { ...found.record.stored, head, since: goodAt })
      .catch((error: unknown) => this.#outage.begin(error))
      .finally(() => this.#pending.delete(freshened));
    this.#pending.add(freshened);
  }

  // ---- purging ----

  async purge(selector: PurgeSelector, { isSoft = false, isDryRun = false }: PurgeOptions = {}): Promise<number> {
    if (isDryRun) return await this.#forEach(selector, () => true);
    const purge = { selector, isSoft };
    // A soft purge changes no record: the log tells that it is outdated.
    const remove = () => this.#forEach(selector, (found) => isSoft || this.#store.remove(found));
    try {
      await this.#log.append(purge);
    } catch {
      // A full Redis enters nothing in the log, but removes, and then has room.
      const count = await remove();
      await this.#log.append(purge);
      return count;
    }
    return await remove();
  }

  /** How many records that a purge selects `act` says true for. */
  async #forEach(selector: PurgeSelector, act: (found: FoundRecord) => boolean | Promise<boolean>): Promise<number> {
    let count = 0;
    for await (const candidates of this.#store.candidates(selector)) {
      const selected = candidates.filter(({ record }) => selects(selector, record.stored.head));
      for (const isDone of await Promise.all(selected.map(async (found) => await act(found)))) if (isDone) count++;
    }
    return count;
  }

  onPurge(listener: (selector: PurgeSelector, options: PurgeOptions) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell({ selector, isSoft }: LoggedPurge): void {
    for (const listener of this.#listeners) listener(selector, { isSoft });
  }

  /** What is served from memory must hear of purges, even if nothing is looked up here. */
  #poll(): void {
    if (this.#listeners.size === 0 || this.#isPolling) return;
    this.#isPolling = true;
    this.#log
      .refresh()
      .catch(() => undefined)
      .finally(() => (this.#isPolling = false));
  }

  get #lane(): Lane {
    return this.#context.props.redis.current.lane("contents");
  }
}

/** In milliseconds: a purge is to hold within a second. */
const pollInterval = 200;
const maxRecent = 200;
/** In milliseconds. */
const recentTime = 2000;
