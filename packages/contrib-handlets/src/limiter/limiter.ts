// limiter: limits what each client may have: requests in a time, requests at once, bytes a second; and bans clients by
// what their requests came to.
//
//   request ── banned? ── too many at once? ── beyond the rate? ──> the next handlet or rule
//                └────────────┴───────────────────┴──> refused              │ its response: paced, and a strike
//                                                                           v if it has such a status

import {
  type Context,
  defineHandlet,
  type Explanation,
  type HandletPart,
  increase,
  limiterGroup,
  type LogDetails,
  OnlyWorker,
  ownerLabels,
  RatePacer,
  type RateLimitStore,
  type Request,
  type Response,
  Tally,
} from "@hemi/internal";
import { RecentMap, type BucketTake, type TokenRate } from "@hemi/common";
import { changesFinalHead } from "../final-head.ts";
import { refuse } from "../refuse.ts";
import { Bans } from "./bans.ts";
import { ClientRates } from "./client-rates.ts";
import { compileKey } from "./client-key.ts";
import { checkLimiter, limiterProps, type LimiterProps } from "./limiter-props.ts";
import { PacedContent, PacedTurns } from "./paced-content.ts";
import { policyOf, ratelimitField } from "./ratelimit-fields.ts";

/**
 * Refuses what goes beyond the limits with 429, and leaves the rest to the next handlet or rule. Every response tells
 * what is left of the rate (draft-ietf-httpapi-ratelimit-headers-10), under the limiter's name: name them if a request
 * passes several. A request counts once, however often it comes by. A request never waits for another process: a client
 * that spreads its requests over several at once may have more for some milliseconds, which is deducted afterwards.
 */
export const limiter = defineHandlet({
  sign: "limiter",
  props: limiterProps,
  check: checkLimiter,
  create: (context): HandletPart => new Limiter(context),
});

type Refusal = "rate" | "concurrent" | "banned" | "down";

class Limiter implements HandletPart {
  readonly #context: Context<LimiterProps>;
  readonly #rates: ClientRates;
  readonly #bans: Bans;
  /** Requests under way, by client. */
  readonly #underWay = new Map<string, number>();
  readonly #turns: RecentMap<string, PacedTurns>;
  readonly #refusals: Tally;
  readonly #bansBegun: Tally;
  #lastBanned: LogDetails = {};
  readonly #numbers: Float64Array;
  #policy = "";
  #keyOf: (req: Request) => string;
  #strikes: (status: number) => boolean = never;
  #hasToldOfFullTable = false;

  constructor(context: Context<LimiterProps>) {
    this.#context = context;
    const { props, log, stage, workers, metrics } = context;
    const now = (): number => stage.clock.monotonic();
    const store = (): RateLimitStore | undefined => this.#store;
    const storedKey = (key: string): string => `${context.path} ${key}`;
    this.#numbers = metrics.numbers(limiterGroup, ownerLabels(context));
    this.#keyOf = compileKey(props.key);
    this.#rates = new ClientRates({
      rate: rateOf(props),
      maxKeys: props.maxKeys,
      forgot: () => this.#tellOfFullTable(),
      store,
      storedKey,
      banned: (key, time) => this.#bans.note(key, time),
      changed: (isDown, error) => this.#storeChanged(isDown, error),
      now,
    });
    this.#bans = new Bans({
      workers,
      topic: () => (props.scope === "worker" && props.store === undefined ? undefined : `limiter ${context.path}`),
      store,
      storedKey,
      rule: () => ({ limit: props.maxStrikes, window: props.strikeWindow, ban: props.ban }),
      isLocalWhenDown: () => props.onDown !== "open" && props.onDown !== "closed",
      began: (key, time) => this.#banBegan(key, time),
      failed: () => increase(this.#numbers, at.storeFailures),
      maxKeys: props.maxKeys,
      now,
    });
    this.#turns = new RecentMap(props.maxKeys);
    this.#refusals = new Tally((count) => {
      log.warn(`requests ${props.dryRun ? "that it would have refused" : "refused"}: ${count}`);
    });
    this.#bansBegun = new Tally((count) => {
      log.warn(`clients ${props.dryRun ? "that it would have banned" : "banned"}: ${count}`, this.#lastBanned);
    });
    this.#compile();
  }

  prepare(): void {
    this.#bans.open();
  }

  shutdown(): void {
    this.#rates.close();
    this.#bans.close();
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("key")) {
      this.#rates.clear();
      this.#bans.clear();
    }
    this.#rates.rate = rateOf(this.#context.props);
    this.#compile();
  }

  handle(req: Request, resp: Response): boolean {
    // Rules that start anew come here again with a request, and so do two rules that name one limiter.
    if (changesFinalHead(resp, this)) return false;
    const { props, path, stage } = this.#context;
    const key = this.#keyOf(req);
    if (key === "") return false;
    const now = stage.clock.monotonic();
    let [refusal, wait] = this.#standing(key, now);
    let taken: BucketTake | undefined;
    if (refusal === undefined && props.rate !== undefined) {
      taken = this.#rates.take(key, now);
      if (taken.granted === 0 && !this.#isOpen) [refusal, wait] = ["rate", taken.retryAfter];
    }
    increase(this.#numbers, refusal === undefined ? at.passed : at[refusal]);
    // The hook is also the mark of a request that was counted. One in a WeakSet costs more: 350 ns (V8 13.6).
    resp.addHook({ rank: 0, by: this, path, hook: () => this.#headIsFinal(key, resp, taken) });
    if (refusal !== undefined) {
      this.#refusals.add(now);
      if (!props.dryRun) return this.#refuse(resp, refusal, wait);
    }
    if (props.maxConcurrent !== undefined || props.strike !== undefined) this.#follow(key, resp);
    return false;
  }

  explain(req: Request): Explanation {
    const { props, stage } = this.#context;
    const key = this.#keyOf(req);
    if (key === "") return { takes: "no", text: "does not limit it: its key is empty" };
    const now = stage.clock.monotonic();
    const [refusal] = this.#standing(key, now);
    const { remaining, retryAfter } = this.#rates.look(key, now);
    const isBeyond = refusal === undefined && props.rate !== undefined && remaining === 0 && !this.#isOpen;
    const reason = isBeyond ? "rate" : refusal;
    const name = JSON.stringify(key);
    if (reason !== undefined && !props.dryRun) {
      const wait = isBeyond ? `, for ${secondsOf(retryAfter)} s` : "";
      return { takes: "yes", status: this.#statusOf(reason), text: `refuses ${name}: ${reasons[reason]}${wait}` };
    }
    const left =
      props.rate === undefined ? "" : `, which has ${remaining} of ${props.burst ?? props.rate} requests left`;
    return { takes: "no", text: `lets ${name} through${left}` };
  }

  /** Whether a client is refused whatever its rate is, and the wait in milliseconds. */
  #standing(key: string, now: number): readonly [refusal: Refusal | undefined, wait: number] {
    const { maxConcurrent, strike, rate, onDown } = this.#context.props;
    if (strike !== undefined) {
      const time = this.#bans.timeOf(key, now);
      if (time > 0) return ["banned", time];
      // Otherwise the store says so when it is asked for tokens.
      if (rate === undefined && this.#store !== undefined) this.#rates.inquire(key);
    }
    if (this.#rates.isDown && onDown === "closed") return ["down", downTime];
    if (maxConcurrent !== undefined && (this.#underWay.get(key) ?? 0) >= maxConcurrent) return ["concurrent", 0];
    return nothing;
  }

  /** What the processes count in together. The only worker of a leader may be replaced, and the next one goes on. */
  get #store(): RateLimitStore | undefined {
    const { props, workers } = this.#context;
    if (props.store !== undefined) return props.store.current;
    return props.scope === "machine" && !(workers instanceof OnlyWorker) ? workers.limits : undefined;
  }

  /** Whether nothing is limited because the store is down. */
  get #isOpen(): boolean {
    return this.#rates.isDown && this.#context.props.onDown === "open";
  }

  #refuse(resp: Response, refusal: Refusal, wait: number): true {
    const fields = wait > 0 ? { "retry-after": String(Math.max(1, secondsOf(wait))) } : {};
    return refuse(resp, this.#statusOf(refusal), fields);
  }

  #statusOf(refusal: Refusal): number {
    if (refusal === "banned") return this.#context.props.banStatus;
    return refusal === "down" ? 503 : 429;
  }

  #headIsFinal(key: string, resp: Response, taken: BucketTake | undefined): PacedContent | undefined {
    const { fields, dryRun, maxRate } = this.#context.props;
    if (taken !== undefined && fields && !dryRun) {
      resp.addHeader("ratelimit-policy", this.#policy);
      resp.addHeader("ratelimit", ratelimitField(this.#context.name, taken));
    }
    if (maxRate === undefined || dryRun) return undefined;
    let isOver = false;
    resp.onEnd(() => (isOver = true));
    return new PacedContent(this.#turnsOf(key), maxRate, () => isOver);
  }

  /** Until the response is over. */
  #follow(key: string, resp: Response): void {
    this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1);
    resp.onEnd((status) => {
      const rest = (this.#underWay.get(key) ?? 0) - 1;
      if (rest > 0) this.#underWay.set(key, rest);
      else this.#underWay.delete(key);
      if (status === undefined || !this.#strikes(status)) return;
      increase(this.#numbers, at.strikes);
      this.#bans.strike(key);
    });
  }

  #turnsOf(key: string): PacedTurns {
    const turns = this.#turns.get(key) ?? new PacedTurns(this.#makePacer());
    this.#turns.set(key, turns);
    return turns;
  }

  #makePacer(): RatePacer {
    const { props, stage } = this.#context;
    return new RatePacer(
      () => props.maxRate ?? 0,
      () => stage.clock.monotonic(),
    );
  }

  #banBegan(key: string, time: number): void {
    increase(this.#numbers, at.bans);
    this.#lastBanned = { client: key, seconds: secondsOf(time) };
    this.#bansBegun.add(this.#context.stage.clock.monotonic());
  }

  #storeChanged(isDown: boolean, error: unknown): void {
    const { log, props } = this.#context;
    if (!isDown) return log.info("the store of rate limits answers again");
    increase(this.#numbers, at.storeFailures);
    log.error("the store of rate limits does not answer", { error, onDown: props.onDown ?? "local" });
  }

  #compile(): void {
    const { props, name } = this.#context;
    this.#keyOf = compileKey(props.key);
    this.#policy = policyOf(name, rateOf(props));
    this.#strikes = compileStatuses(props.strike);
  }

  #tellOfFullTable(): void {
    if (this.#hasToldOfFullTable) return;
    this.#hasToldOfFullTable = true;
    const { log, props } = this.#context;
    log.warn(
      `more clients than it can remember: those that came longest ago are forgotten; maxKeys is ${props.maxKeys}`,
    );
  }
}

/** Without a rate, buckets are never asked for a token. */
function rateOf({ rate = 1, per, burst = rate }: LimiterProps): TokenRate {
  return { interval: per / rate, burst };
}

function compileStatuses(list: readonly string[] | undefined): (status: number) => boolean {
  if (list === undefined) return never;
  const statuses = new Set(list);
  return (status) => statuses.has(String(status)) || statuses.has(`${Math.floor(status / 100)}xx`);
}

function never(): boolean {
  return false;
}

function secondsOf(time: number): number {
  // Not a second more for what is over by rounding only.
  return Math.ceil(time / 1000 - 1e-6);
}

const reasons: Readonly<Record<Refusal, string>> = {
  rate: "it is beyond the rate",
  concurrent: "it has as many requests under way as it may have",
  banned: "it is banned",
  down: "the store of rate limits does not answer",
};

const nothing = [undefined, 0] as const;
const { at } = limiterGroup;
/** When clients may try again while the store is down, in milliseconds. */
const downTime = 5000;
