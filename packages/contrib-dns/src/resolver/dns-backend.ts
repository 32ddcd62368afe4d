// dnsBackend: answers questions from static records, from a cache, or from name servers.
//
//  query ──> static ──> cache ── fresh ──────────────────────────────> reply
//                         │ └─── stale ──> name servers, `staleAfter` at most, then the stale answer (RFC 8767 5)
//                         └ nothing ─────> name servers ── failure ──> SERVFAIL
//                                            one question for all who ask the same meanwhile

import { SingleFlight } from "@hemi/common";
import {
  backendKind,
  type Context,
  defineBackend,
  eventCounter,
  type Part,
  prop,
  type PropsOf,
  Refusals,
  tcpsNodes,
  udpsNodes,
} from "@hemi/internal";
import { flags, rcodes, types } from "../message/codes.ts";
import type { Answer } from "../message/answer.ts";
import { questionOf, type Query } from "../message/query.ts";
import { headOnly, lifetimeOf, replyTo } from "../message/reply.ts";
import { AnswerCache, type StoredAnswer } from "./answer-cache.ts";
import { dnsAnswerer, type DnsAnswerer, type Reply } from "./answerer.ts";
import { joinedAnswer } from "./joined-answer.ts";
import { isFailure, NameServers } from "./name-servers.ts";
import { recordTypes } from "./record-data.ts";
import { faultsOf, minimalAny, StaticRecords } from "./static-records.ts";

const props = {
  /** Records that are answered from here. Other types of the same name do not exist then. */
  records: prop.list(
    prop.record({
      /** `www.example`; `*.example` is every name below, as far as nothing else is there. */
      name: prop.string({ required: true }),
      /** The type of the records. */
      type: prop.choice(recordTypes, { required: true }),
      /** As in zone files: `192.0.2.1`, `10 mail.example`. */
      values: prop.strings({ required: true, minLength: 1, max: 1000 }),
      /** How long others may remember it. */
      ttl: prop.duration({ default: "5m", max: "7d" }),
    }),
    { default: [], max: 100_000 },
  ),
  /** Domains that are answered from `records` only: what is not there does not exist. */
  zones: prop.strings({ default: [], minLength: 1, max: 10_000 }),
  /** The name servers that are asked for everything else. They have to be resolvers. Default: it is refused. */
  forwardTo: prop.reference(backendKind, { offering: udpsNodes, reload: "live" }),
  /**
   * The same servers over TCP, for answers that are too long for datagrams. Without `forwardTo` everything goes this
   * way: with `tlsMode` of that backend, it is DNS over TLS.
   */
  forwardOverTcp: prop.reference(backendKind, { offering: tcpsNodes, reload: "live" }),
  /** How long a name server may take to answer. After that, another one is asked, or the same again. */
  queryTimeout: prop.duration({ default: "2s", min: "1ms", max: "1m", reload: "live" }),
  /** How many times name servers are asked for one question. */
  maxTries: prop.integer({ default: 3, min: 1, max: 20, reload: "live" }),
  /** Maximum number of questions that name servers have not answered. More are refused. */
  maxPending: prop.integer({ default: 5000, min: 1, max: 1_000_000, reload: "live" }),
  /** Memory for answers of name servers, in each worker. 0: none are kept. */
  cacheSize: prop.size({ default: "32M" }),
  /** The longest time that an answer is used, whatever its lifetime is. */
  maxTtl: prop.duration({ default: "1d", min: "1s", max: "7d", reload: "live" }),
  /** The same for answers that something does not exist (RFC 2308). */
  maxNegativeTtl: prop.duration({ default: "1h", min: "1s", max: "1d", reload: "live" }),
  /** How long after the end of its lifetime an answer is still used if no name server can be reached. 0: not at all. */
  maxStale: prop.duration({ default: "1d", max: "7d", reload: "live" }),
  /** How long a client waits for name servers, if there is an answer whose lifetime is over. */
  staleAfter: prop.duration({ default: "1800ms", min: "1ms", max: "1m", reload: "live" }),
};

type DnsSettings = PropsOf<typeof props>;

/**
 * Answers questions of DNS: from its records, from its cache, or by asking name servers. Doors lead to it: `dnsDealet`
 * for UDP, TCP and TLS, `dnsHandlet` for HTTPS.
 */
export const dnsBackend = defineBackend({
  sign: "dnsBackend",
  props,
  check(context) {
    const { records, zones } = context.props;
    for (const message of faultsOf(records, zones)) context.report({ prop: "records", message });
    if (records.length + zones.length > 0 || context.isSet("forwardTo") || context.isSet("forwardOverTcp")) return;
    context.report({ message: "it would refuse everything: set .records, .forwardTo or .forwardOverTcp" });
  },
  offers: [dnsAnswerer],
  create: (context): Part & DnsAnswerer => new DnsBackend(context),
});

class DnsBackend implements Part, DnsAnswerer {
  readonly #context: Context<DnsSettings>;
  readonly #static: StaticRecords;
  readonly #cache: AnswerCache | undefined;
  readonly #servers: NameServers;
  readonly #flights = new SingleFlight<StoredAnswer>();
  readonly #failures: Refusals;
  readonly #count: (event: DnsEvent) => void;
  #lastFailure = "";

  constructor(context: Context<DnsSettings>) {
    this.#context = context;
    const { props, log } = context;
    this.#static = new StaticRecords(props.records, props.zones);
    this.#cache = props.cacheSize > 0 ? new AnswerCache(props.cacheSize) : undefined;
    this.#servers = new NameServers(props, (error) => log.error("failed when a deadline expired", { error }));
    this.#count = eventCounter(context, "dnsBackend", dnsEvents);
    this.#failures = new Refusals({
      makeDeadline: this.#servers.makeDeadline,
      tell: (count) => log.warn(`${count} questions were not answered by name servers: ${this.#lastFailure}`),
    });
  }

  /** Its name servers have work as long as a connection to them is kept. */
  async drain(): Promise<void> {
    await this.#flights.settled();
    this.#servers.finish();
  }

  async shutdown(): Promise<void> {
    this.#failures.close();
    this.#servers.close();
    await this.#flights.settled();
  }

  get description(): string {
    const { records, zones, forwardTo, forwardOverTcp } = this.#context.props;
    const own = records.length + zones.length > 0 ? `${records.length} lists of records, ` : "";
    const backend = forwardTo ?? forwardOverTcp;
    return `${own}then ${backend === undefined ? "it refuses" : `its cache, then ${backend.path}`}`;
  }

  answer(query: Query, limit: number): Reply | Promise<Reply> {
    if (query.type === types.ANY) return this.#render(query, limit, minimalAny(query), 0);
    const found = this.#static.find(query);
    if (found !== undefined) {
      if (found.follow !== undefined && this.#servers.isThere)
        return this.#follow(query, limit, found.answer, found.follow);
      this.#count("static");
      return this.#render(query, limit, found.answer, 0);
    }
    if (!this.#servers.isThere) return this.#withoutRecords(query, rcodes.refused, "refused");
    const question = questionOf(query);
    const stored = this.#stored(`${query.name}${termsKey(query)}`);
    if (stored !== undefined && this.#ageOf(stored) < this.#ttlOf(stored.answer)) {
      this.#count("cacheHit");
      return this.#render(query, limit, stored.answer, this.#ageOf(stored));
    }
    // Whoever does not want recursion looks into the cache only.
    if ((query.flags & flags.recursionDesired) === 0) return this.#withoutRecords(query, rcodes.refused, "refused");
    return this.#ask(query, question).then(
      (got) => this.#render(query, limit, got.answer, this.#ageOf(got)),
      () => this.#withoutRecords(query, rcodes.serverFailure, "failed"),
    );
  }

  async #follow(query: Query, limit: number, own: Answer, target: string): Promise<Reply> {
    const typeAndClass = questionOf(query).subarray(-4);
    try {
      const got = await this.#ask(
        { ...query, name: target },
        Buffer.concat([Buffer.from(target, "latin1"), typeAndClass]),
      );
      return this.#render(query, limit, joinedAnswer(own, got.answer, this.#ageOf(got)), 0);
    } catch {
      return this.#withoutRecords(query, rcodes.serverFailure, "failed");
    }
  }

  /** Fresh or stale. Rejects if there is neither. */
  async #ask(query: Query, question: Buffer): Promise<StoredAnswer> {
    const key = `${query.name}${termsKey(query)}`;
    const stored = this.#stored(key);
    const now = this.#now();
    if (stored !== undefined && this.#ageOf(stored) < this.#ttlOf(stored.answer)) return stored;
    if (stored !== undefined && now - stored.failedAt < retryStale) return this.#stale(stored);
    if (this.#flights.size >= this.#context.props.maxPending) {
      this.#failed(`more than maxPending wait`);
      if (stored !== undefined) return this.#stale(stored);
      throw new Error("too many wait");
    }
    this.#count("cacheMiss");
    const asked = this.#flights.run(key, () => this.#askServers(key, question, query));
    if (stored === undefined) return await asked;
    return await this.#first(asked, stored);
  }

  /** What name servers say, or the stale answer if they take too long or fail. */
  #first(asked: Promise<StoredAnswer>, stored: StoredAnswer): Promise<StoredAnswer> {
    return new Promise((resolve) => {
      const giveStale = (): void => {
        late.clear();
        stored.failedAt = this.#now();
        resolve(this.#stale(stored));
      };
      const late = this.#servers.makeDeadline(giveStale);
      late.set(this.#context.props.staleAfter);
      asked.then((answer) => {
        late.clear();
        resolve(answer);
      }, giveStale);
    });
  }

  async #askServers(key: string, question: Buffer, query: Query): Promise<StoredAnswer> {
    try {
      const answer = await this.#servers.ask(question, termsOf(query));
      if (isFailure(answer) && this.#stored(key) !== undefined) throw new Error(`they answered ${answer.rcode}`);
      const got = { answer, storedAt: this.#now(), failedAt: -Infinity };
      if (answer.ttl > 0) this.#cache?.store(key, answer, got.storedAt);
      else if (!isFailure(answer)) this.#cache?.delete(key);
      return got;
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  #stale(stored: StoredAnswer): StoredAnswer {
    this.#count("stale");
    // Its records live for another moment: see `staleTtl`.
    const age = Math.max(0, this.#ttlOf(stored.answer) - staleTtl);
    return { ...stored, storedAt: this.#now() - age * 1000 };
  }

  /** Unless it is too old even as a stale one. */
  #stored(key: string): StoredAnswer | undefined {
    const stored = this.#cache?.find(key);
    if (stored === undefined) return undefined;
    const mayBeOld = this.#ttlOf(stored.answer) + this.#context.props.maxStale / 1000;
    return this.#ageOf(stored) < mayBeOld ? stored : undefined;
  }

  /** In seconds. */
  #ttlOf({ ttl, rcode, message }: Answer): number {
    const { maxTtl, maxNegativeTtl } = this.#context.props;
    const isPositive = rcode === rcodes.noError && message.readUInt16BE(6) > 0;
    return Math.min(ttl, (isPositive ? maxTtl : Math.min(maxTtl, maxNegativeTtl)) / 1000);
  }

  #ageOf({ storedAt }: StoredAnswer): number {
    return Math.floor((this.#now() - storedAt) / 1000);
  }

  #render(query: Query, limit: number, answer: Answer, age: number): Reply {
    const terms = { limit, age, maxTtl: Math.max(1, Math.floor(this.#context.props.maxTtl / 1000)) };
    return { message: replyTo(query, answer, terms), lifetime: lifetimeOf(answer, terms) };
  }

  #withoutRecords(query: Query, rcode: number, event: DnsEvent): Reply {
    this.#count(event);
    return { message: headOnly(query, rcode), lifetime: 0 };
  }

  #failed(reason: string): void {
    this.#lastFailure = reason;
    this.#failures.add("");
  }

  #now(): number {
    return this.#context.stage.clock.monotonic();
  }
}

const dnsEvents = ["static", "cacheHit", "cacheMiss", "stale", "failed", "refused"] as const;
type DnsEvent = (typeof dnsEvents)[number];

function termsOf({ edns, flags: given }: Query): { wantsDnssec: boolean; isCheckingDisabled: boolean } {
  return { wantsDnssec: edns?.wantsDnssec === true, isCheckingDisabled: (given & flags.checkingDisabled) !== 0 };
}

/** Answers differ by the type, and by what the client wants of DNSSEC. */
function termsKey(query: Query): string {
  const { wantsDnssec, isCheckingDisabled } = termsOf(query);
  return `${String.fromCharCode(query.type)}${wantsDnssec ? "d" : ""}${isCheckingDisabled ? "c" : ""}`;
}

/** In milliseconds: how long name servers are left alone after a failure (RFC 8767 5). */
const retryStale = 30_000;
/** In seconds: the lifetime of stale records (RFC 8767 5). */
const staleTtl = 30;
