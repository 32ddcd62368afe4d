// Which entries stay when memory is full: by how often they are asked for, so that a scan of many URLs, each once, does
// not displace what is popular. This is S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP
// 2023). A hit only increments a counter.
//
//   new ──> small (a tenth) ── hit meanwhile ──> main ──┐ hit meanwhile: once more round
//              │                                  ^ │ <─┘
//              └─ no hit ──> evicted, remembered ─┘ └─ no hit ──> evicted
//                            (seen again soon)

/** What is evicted. */
export interface Evictable {
  readonly key: string;
  /** In bytes; once it is added, `resize` changes it. */
  size: number;
  /** The hits since it was looked at last, at most 3. */
  hits: number;
}

/** Chooses what to evict. */
export class Admission<Entry extends Evictable> {
  readonly #small = new Set<Entry>();
  readonly #main = new Set<Entry>();
  /** Hashes of keys that were evicted without a hit, the oldest first. */
  readonly #ghosts = new Set<number>();
  #smallSize = 0;
  #size = 0;

  /** Of all entries, in bytes. */
  get size(): number {
    return this.#size;
  }

  add(entry: Entry): void {
    this.#size += entry.size;
    if (this.#ghosts.delete(hashOf(entry.key))) this.#main.add(entry);
    else {
      this.#small.add(entry);
      this.#smallSize += entry.size;
    }
  }

  remove(entry: Entry): void {
    const wasSmall = this.#small.delete(entry);
    if (wasSmall) this.#smallSize -= entry.size;
    if (wasSmall || this.#main.delete(entry)) this.#size -= entry.size;
  }

  /** Its size has changed. Does nothing for an entry that is not there any more. */
  resize(entry: Entry, size: number): void {
    const isSmall = this.#small.has(entry);
    if (!isSmall && !this.#main.has(entry)) return;
    const difference = size - entry.size;
    this.#size += difference;
    if (isSmall) this.#smallSize += difference;
    entry.size = size;
  }

  hit(entry: Entry): void {
    if (entry.hits < 3) entry.hits++;
  }

  /** Removes one entry and returns it; `undefined` if there is none. */
  evict(): Entry | undefined {
    while (this.#size > 0) {
      const isFromSmall = this.#main.size === 0 || this.#smallSize * 10 > this.#size;
      const [first] = isFromSmall ? this.#small : this.#main;
      if (first === undefined) return undefined;
      const wasHit = first.hits > 0;
      if (isFromSmall) {
        this.#small.delete(first);
        this.#smallSize -= first.size;
        first.hits = 0;
        if (!wasHit) this.#remember(first.key);
      } else {
        this.#main.delete(first);
        first.hits = Math.max(0, first.hits - 1);
      }
      if (wasHit) this.#main.add(first);
      else {
        this.#size -= first.size;
        return first;
      }
    }
    return undefined;
  }

  #remember(key: string): void {
    this.#ghosts.add(hashOf(key));
    if (this.#ghosts.size <= this.#small.size + this.#main.size + 100) return;
    const [oldest] = this.#ghosts;
    if (oldest !== undefined) this.#ghosts.delete(oldest);
  }
}

/** FNV-1a, cut to what V8 holds without an object. Two keys with one hash: one gets a better place, no more. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash & 0x3fffffff;
}
