// The props of the limiter, and what `hemi check` finds wrong with them.

import { addonKind, type CheckContext, prop, type PropsOf, rateLimitStore } from "@hemi/internal";

export const limiterProps = {
  /**
   * What is counted as one client. `$srcHost` is the IPv4 address, or the /64 network of an IPv6 address: that is what
   * one subscriber has. Requests for which it is empty are not limited. Variables stand outside quotes:
   * `$srcHost + " " + $path`. A text without any counts all clients as one. Default: `$srcHost`.
   */
  key: prop.template({ reload: "live" }),
  /** Requests in the time of `per`; one beyond it gets 429. Default: any number. */
  rate: prop.integer({ min: 1, max: 1_000_000, reload: "live" }),
  /** The time that `rate` is for. */
  per: prop.duration({ default: "1s", min: "1ms", max: "1d", reload: "live" }),
  /** How many requests may come at once after a pause. Default: as many as `rate`. */
  burst: prop.integer({ min: 1, max: 1_000_000, reload: "live" }),
  /** Requests under way at once, for each worker; one beyond it gets 429. Default: any number. */
  maxConcurrent: prop.integer({ min: 1, max: 1_000_000, reload: "live" }),
  /**
   * How many bytes of content a second all responses to a client together have, for each worker: they are slowed down.
   * Default: any number.
   */
  maxRate: prop.size({ min: "1K", reload: "live" }),
  /**
   * Statuses of responses that are strikes against the client, such as `("401", "403", "4xx")`: with `maxStrikes` of
   * them within `strikeWindow`, it is banned. Default: none.
   */
  strike: prop.strings({
    max: 100,
    pattern: { expression: /^[2-5](?:\d\d|xx)$/, takes: 'a status such as "401" or "4xx"' },
    reload: "live",
  }),
  /** How many strikes lead to a ban. */
  maxStrikes: prop.integer({ default: 10, min: 1, max: 1_000_000, reload: "live" }),
  /** The time in which strikes add up, from the first one on. */
  strikeWindow: prop.duration({ default: "1m", min: "1s", max: "30d", reload: "live" }),
  /** How long a client is then banned. */
  ban: prop.duration({ default: "10m", min: "1s", max: "365d", reload: "live" }),
  /** The status of responses to a client that is banned. */
  banStatus: prop.integer({ default: 403, min: 400, max: 599, reload: "live" }),
  /**
   * Who counts together: all workers of the machine, by way of the leader (`machine`), or each worker for itself
   * (`worker`). `rate`, strikes and bans follow it.
   */
  scope: prop.choice(["worker", "machine"], { default: "machine" }),
  /** An addon in which several machines count together, such as one for Redis. Takes the place of `scope`. */
  store: prop.reference(addonKind, { offering: rateLimitStore }),
  /**
   * Required with `store`: what becomes of requests while it does not answer. `open`: nothing is limited. `closed`:
   * they get 503. `local`: each worker counts for itself.
   */
  onDown: prop.choice(["open", "closed", "local"], { reload: "live" }),
  /** Refuses nothing and sends no fields, but says in the log what it would have refused. */
  dryRun: prop.bool({ default: false, reload: "live" }),
  /** Whether responses tell the client what is left of `rate`, by the fields `ratelimit` and `ratelimit-policy`. */
  fields: prop.bool({ default: true, reload: "live" }),
  /** Clients remembered at once; of more, those that came longest ago are forgotten, and the log says so, once. */
  maxKeys: prop.integer({ default: 100_000, min: 1, max: 1_000_000 }),
};

export type LimiterProps = PropsOf<typeof limiterProps>;

export function checkLimiter(context: CheckContext<LimiterProps>): void {
  const { props, report, warn, isSet } = context;
  const { rate, maxConcurrent, maxRate, strike, store, onDown } = props;
  if (rate === undefined && maxConcurrent === undefined && maxRate === undefined && strike === undefined) {
    report({ message: "it limits nothing", hint: "set .rate, .maxConcurrent, .maxRate or .strike" });
  }
  if (store !== undefined && onDown === undefined) {
    const hint = '"open" limits nothing meanwhile, "closed" answers 503, "local" lets each worker count for itself';
    report({ prop: "store", message: ".onDown is required with .store, which may be down", hint });
  }
  if (store !== undefined && isSet("scope")) {
    report({ prop: "scope", message: "either .scope or .store says who counts together" });
  }
  if (store === undefined && onDown !== undefined) warn({ prop: "onDown", message: "it has no effect without .store" });
  for (const name of ["per", "burst"] as const) {
    if (rate === undefined && isSet(name)) warn({ prop: name, message: "it has no effect without .rate" });
  }
  for (const name of ["maxStrikes", "strikeWindow", "ban", "banStatus"] as const) {
    if (strike === undefined && isSet(name)) warn({ prop: name, message: "it has no effect without .strike" });
  }
  checkKey(context);
}

/** In quotes, a variable is none. */
function checkKey({ props, report }: CheckContext<LimiterProps>): void {
  const key = props.key?.constant;
  if (key === undefined || !quotedVariable.test(key)) return;
  const message = `.key: ${JSON.stringify(key)} is the same text for all clients, so that one of them could use up the rate of all: in quotes, a $name stands for no variable`;
  report({ prop: "key", message, hint: `write ${withVariables(key)}` });
}

const quotedVariable = /\$([A-Za-z]\w*)/;

/** What somebody meant who wrote variables into a text: `"a $b"` becomes `"a " + $b`. */
function withVariables(text: string): string {
  return text
    .split(new RegExp(quotedVariable, "g"))
    .flatMap((part, i) => (i % 2 === 1 ? [`$${part}`] : part === "" ? [] : [JSON.stringify(part)]))
    .join(" + ");
}
