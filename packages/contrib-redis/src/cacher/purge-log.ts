// The log of purges, which all machines share: it decides whether a stored response is still good.
//
//   Redis, for each cacher    meta: generation, seq      log: the last purges, by their numbers (a stream)
//
//        floor                                seq
//   ───────┼───────────┬───────────────────────┤
//          forgotten   │ a response was        └ the latest purge
//                      └ asked for here (its `since`): the purges from here on count for it
//
// A response has been asked for, or found to be good, when the log had a certain number. If a later purge selects it,
// it counts as purged, whatever is still stored: a machine that missed a message, or a response that arrived meanwhile,
// brings nothing back. What is too old for the log to tell counts as purged. If Redis loses the log, by a restart, an
// eviction, or a failover that loses the latest purges, another generation begins, and all that was stored is purged.

import { randomBytes } from "node:crypto";
import { type Purgeable, type PurgeSelector, selects } from "@hemi/internal";
import type { Lane } from "../lane.ts";
import { listOf, numberOf, pairsOf, textOf } from "../replies.ts";
import { Script } from "../script.ts";

/** A moment in the log. */
export interface LogPosition {
  readonly generation: string;
  readonly seq: number;
}

/** A purge of any machine. */
export interface LoggedPurge {
  readonly selector: PurgeSelector;
  readonly isSoft: boolean;
}

export interface PurgeLogOptions {
  readonly lane: () => Lane;
  /** What its keys begin with. */
  readonly prefix: () => string;
  /** Called for each purge when it is heard of, those of this worker included; for a new generation with "all". */
  readonly purged: (purge: LoggedPurge) => void;
}

export class PurgeLog {
  readonly #options: PurgeLogOptions;
  #generation = "";
  #seq = 0;
  /** Those up to `#seq`, as far as they are remembered. */
  #purges: LoggedPurge[] = [];
  #reading: Promise<void> | undefined;

  constructor(options: PurgeLogOptions) {
    this.#options = options;
  }

  /** `undefined`: the log was not read yet. */
  get position(): LogPosition | undefined {
    return this.#generation === "" ? undefined : { generation: this.#generation, seq: this.#seq };
  }

  /** Asks for the latest purges. Rejects with RedisFailure. */
  async refresh(): Promise<void> {
    const [generation, seq] = listOf(await this.#options.lane().call("HMGET", [this.#keys[0], "generation", "seq"]));
    await this.#follow(generation, Number(seq));
  }

  /** Enters a purge. When this has settled, it holds on all machines. Rejects with RedisFailure. */
  async append(purge: LoggedPurge): Promise<void> {
    const args = [...this.#known, JSON.stringify(purge), maxPurges];
    const [generation, seq] = listOf(await this.#options.lane().run(append, this.#keys, args));
    await this.#follow(generation, numberOf(seq));
  }

  /** Whether a purge since then selects the response, and how: a soft one only makes it stale. */
  purgeOf(since: LogPosition, response: Purgeable): "hard" | "soft" | undefined {
    if (since.generation !== this.#generation || this.#seq - since.seq > this.#purges.length) return "hard";
    let found: "soft" | undefined;
    for (let i = this.#purges.length - (this.#seq - since.seq); i < this.#purges.length; i++) {
      const purge = this.#purges[i];
      if (purge === undefined || !selects(purge.selector, response)) continue;
      if (!purge.isSoft) return "hard";
      found = "soft";
    }
    return found;
  }

  /** Whether so many purges have come since that the response had better be noted as good. */
  isLongAgo({ seq }: LogPosition): boolean {
    return this.#seq - seq > maxPurges / 10;
  }

  get #keys(): readonly [meta: string, log: string] {
    const prefix = this.#options.prefix();
    return [`${prefix}{purges}`, `${prefix}{purges}:log`];
  }

  /** A generation to begin if there is none, and what is known. */
  get #known(): readonly [fresh: string, generation: string, seq: number] {
    return [randomBytes(12).toString("base64url"), this.#generation, this.#seq];
  }

  /** Reads what has come in up to this position, which is lower than the known one after a loss. */
  async #follow(generation: unknown, seq: number): Promise<void> {
    if (generation === this.#generation && seq === this.#seq) return;
    await this.#read();
    // That may have been under way before.
    if (generation !== this.#generation || seq > this.#seq) await this.#read();
  }

  #read(): Promise<void> {
    this.#reading ??= this.#options
      .lane()
      .run(read, this.#keys, this.#known)
      .then((reply) => this.#advance(reply))
      .finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  #advance(reply: unknown): void {
    const [generation, seq, entries] = listOf(reply);
    const isOther = textOf(generation) !== this.#generation;
    if (!isOther && numberOf(seq) <= this.#seq) return;
    const wasKnown = this.#generation !== "";
    const news = listOf(entries)
      .map((entry) => pairsOf(listOf(entry)[1])[0]?.[1])
      .map((text) => JSON.parse(textOf(text)) as unknown)
      .filter(isPurge);
    const missing = isOther ? 0 : numberOf(seq) - this.#seq;
    this.#generation = textOf(generation);
    this.#seq = numberOf(seq);
    this.#purges = (isOther ? news : [...this.#purges, ...news.slice(-missing)]).slice(-maxPurges);
    const isGap = isOther ? wasKnown : news.length < missing;
    if (isGap) {
      this.#purges = isOther ? this.#purges : news;
      this.#options.purged({ selector: "all", isSoft: false });
    } else if (wasKnown) for (const purge of news.slice(-missing)) this.#options.purged(purge);
  }
}

function isPurge(value: unknown): value is LoggedPurge {
  return typeof value === "object" && value !== null && "selector" in value && "isSoft" in value;
}

/** KEYS: meta, log. ARGV: a fresh generation, the known one, the known number. */
const withLog = `
local meta, log = KEYS[1], KEYS[2]
local generation = redis.call('HGET', meta, 'generation')
local seq = tonumber(redis.call('HGET', meta, 'seq') or 0)
if not generation or (generation == ARGV[2] and seq < tonumber(ARGV[3])) then
  generation, seq = ARGV[1], 0
  redis.call('DEL', log)
  redis.call('HSET', meta, 'generation', generation, 'seq', seq)
end
`;

/** Returns the position, and the purges since the known one. */
const read = new Script(`${withLog}
local from = generation == ARGV[2] and tonumber(ARGV[3]) + 1 or 0
return {generation, seq, redis.call('XRANGE', log, from, '+')}
`);

/** ARGV, further: the purge as JSON, how many are kept. Returns the position. */
const append = new Script(`${withLog}
seq = seq + 1
redis.call('HSET', meta, 'seq', seq)
redis.call('XADD', log, 'MAXLEN', ARGV[5], seq .. '-1', 'purge', ARGV[4])
return {generation, seq}
`);

/** Not a prop: a response that is asked for stays good over any number of purges. */
const maxPurges = 5000;
