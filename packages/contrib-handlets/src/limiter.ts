// limiter: holds each client to a rate of requests.

import { createHash } from "node:crypto";
import {
  compileTemplate,
  type Context,
  defineHandlet,
  type HandletPart,
  prop,
  type PropsOf,
  type Request,
  type Response,
  type VariableTable,
  webVariables,
} from "@hemi/internal";
import { changeFinalHead, changesFinalHead } from "./final-head.ts";
import { GcraTable, type GcraRate, type GcraVerdict } from "./gcra.ts";
import { keyOfAddress } from "@hemi/common";
import { refuse } from "./refuse.ts";
import { SharedCharges } from "./shared-charges.ts";
import { Tally } from "./tally.ts";

const props = {
  /**
   * What is counted as one client. `$srcHost` is the IPv4 address, or the /64 network of an IPv6 address: that is what
   * one subscriber has. Requests for which it is empty are not limited. Variables stand outside quotes:
   * `$srcHost + " " + $path`. A text without any counts all clients as one. Default: `$srcHost`.
   */
  key: prop.template({ reload: "live" }),
  /** Requests in the time of `per`. */
  rate: prop.integer({ required: true, min: 1, max: 1_000_000, reload: "live" }),
  /** The time that `rate` is for. */
  per: prop.duration({ default: "1s", min: "1ms", max: "1d", reload: "live" }),
  /** How many requests may come at once after a pause. Default: as many as `rate`. */
  burst: prop.integer({ min: 1, max: 1_000_000, reload: "live" }),
  /** Refuses nothing and sends no fields, but says in the log what it would have refused. */
  dryRun: prop.bool({ default: false, reload: "live" }),
  /** Whether answers tell the client what is left to it, by the fields `ratelimit` and `ratelimit-policy`. */
  fields: prop.bool({ default: true, reload: "live" }),
  /** Clients remembered at once; of more, those that came longest ago are forgotten, and the log says so, once. */
  maxKeys: prop.integer({ default: 100_000, min: 1, max: 1_000_000 }),
};

/**
 * Refuses what goes beyond the rate with 429 and `retry-after`; the rest is left to the next handlet or rule. Every
 * answer tells what is left (draft-ietf-httpapi-ratelimit-headers-10), under the limiter's name: name them if a request
 * passes several. A request counts once, however often it comes by. The workers of the program tell each other ten
 * times in a second what they let through: a client may have as much more as comes in that time.
 */
export const limiter = defineHandlet({
  sign: "limiter",
  props,
  check(context) {
    const key = context.props.key?.constant;
    if (key === undefined || !quotedVariable.test(key)) return;
    const message = `.key: ${JSON.stringify(key)} is the same text for all clients, so that one of them could use up the rate of all: in quotes, a $name stands for no variable`;
    context.report({ prop: "key", message, hint: `write ${withVariables(key)}` });
  },
  create: (context): HandletPart => new Limiter(context),
});

class Limiter implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #table: GcraTable;
  readonly #policyName: string;
  #policy = "";
  #keyOf: (req: Request) => string = keyOfSource;
  readonly #refusals: Tally;
  readonly #charges: SharedCharges;
  #hasToldOfFullTable = false;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    const { props, log } = context;
    const name = context.name === "" ? "default" : context.name;
    this.#policyName = `"${name.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
    this.#table = new GcraTable({ rate: rateOf(props), maxKeys: props.maxKeys, forgot: () => this.#tellOfFullTable() });
    this.#refusals = new Tally((count) => {
      log.warn(`requests ${props.dryRun ? "that it would have refused" : "refused"} with 429: ${count}`);
    });
    this.#charges = new SharedCharges(context, (key, count) =>
      this.#table.charge(key, count, context.stage.clock.monotonic()),
    );
    this.#compile();
  }

  prepare(): void {
    this.#charges.open();
  }

  shutdown(): void {
    this.#charges.close();
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("key")) this.#table.clear();
    this.#table.rate = rateOf(this.#context.props);
    this.#compile();
  }

  handle(req: Request, resp: Response): boolean {
    const { props, path, stage } = this.#context;
    // Rules that start anew come here again with a request, and so do two rules that name one limiter.
    if (changesFinalHead(resp, this)) return false;
    const key = this.#keyOf(req);
    if (key === "") return false;
    const now = stage.clock.monotonic();
    const verdict = this.#table.take(key, now);
    if (!verdict.conforms) this.#refusals.add(now);
    else if (this.#charges.areShared) this.#charges.add(key);
    // It is also the mark of a request that was counted, which costs less than one in a WeakSet: 350 ns (V8 13.6).
    changeFinalHead(resp, this, path, props.fields && !props.dryRun ? () => this.#tell(resp, verdict) : changeNothing);
    if (props.dryRun) return false;
    return verdict.conforms ? false : refuse(resp, 429, { "retry-after": String(Math.max(1, secondsOf(verdict))) });
  }

  #compile(): void {
    const { key, per, rate, burst = rate } = this.#context.props;
    const compiled = key === undefined ? undefined : compileTemplate(key, variables);
    this.#keyOf = compiled === undefined ? keyOfSource : (req) => shorten(compiled(req));
    this.#policy = `${this.#policyName};q=${burst};w=${Math.ceil((burst * per) / rate / 1000)}`;
  }

  #tell(resp: Response, verdict: GcraVerdict): void {
    const { remaining, conforms } = verdict;
    const seconds = conforms ? secondsOf(verdict) : Math.max(1, secondsOf(verdict));
    resp.addHeader("ratelimit-policy", this.#policy);
    resp.addHeader("ratelimit", `${this.#policyName};r=${remaining};t=${seconds}`);
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

function changeNothing(): void {}

const quotedVariable = /\$([A-Za-z]\w*)/;

/** What somebody meant who wrote variables into a text: `"a $b"` becomes `"a " + $b`. */
function withVariables(text: string): string {
  return text
    .split(new RegExp(quotedVariable, "g"))
    .flatMap((part, i) => (i % 2 === 1 ? [`$${part}`] : part === "" ? [] : [JSON.stringify(part)]))
    .join(" + ");
}

/** The variables of requests, but that `$srcHost` is what one client has. */
const variables: VariableTable<Request> = {
  names: webVariables.names,
  find: (name) => (name === "srcHost" ? keyOfSource : webVariables.find(name)),
};

function keyOfSource({ srcHost }: Request): string {
  return keyOfAddress(srcHost);
}

/**
 * A key that a client chose may be long, and may be a slice that keeps all of a request's head in memory, as V8 makes
 * them from 13 characters on: the table holds its hash in its place.
 */
function shorten(key: string): string {
  return key.length < 13 ? key : createHash("sha256").update(key).digest("base64");
}

function rateOf({ rate, per, burst = rate }: PropsOf<typeof props>): GcraRate {
  return { interval: per / rate, burst };
}

function secondsOf({ wait }: GcraVerdict): number {
  // Not a second more for what is over by rounding only.
  return Math.ceil(wait / 1000 - 1e-6);
}
