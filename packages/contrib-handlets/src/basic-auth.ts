// basicAuth: lets in those who have a name and a password (RFC 7617).

import { createHmac, randomBytes } from "node:crypto";
import { SingleFlight, threadPoolSize, Turns } from "@hemi/common";
import {
  type Context,
  defineHandlet,
  type HandletPart,
  LocalKey,
  prop,
  type PropsOf,
  type Request,
  type Response,
} from "@hemi/internal";
import { LRUCache } from "lru-cache";
import { type BasicCredentials, readBasicCredentials } from "./basic-credentials.ts";
import { FairQueue } from "./fair-queue.ts";
import { keyOfAddress } from "./ip-address.ts";
import { costOf, decoyOf, type PasswordHash, parsePasswordHash, verifyPassword } from "./password-hash.ts";
import { refuse } from "./refuse.ts";
import { Tally } from "./tally.ts";

const props = {
  /** Names, and their passwords as `hashPassword` hashes them. A name holds no colon. */
  users: prop.dict(prop.string(), { required: true, min: 1, reload: "live" }),
  /** What the login is for, as browsers show it, or remember it by. Printable ASCII. */
  realm: prop.string({
    default: "restricted",
    pattern: { expression: /^[\x20-\x7e]+$/, takes: "a text of printable ASCII" },
    reload: "live",
  }),
  /** How long a right password is remembered, as a keyed hash in memory, and not hashed again. `0s`: not at all. */
  rememberFor: prop.duration({ default: "1m", max: "1d", reload: "live" }),
  /** How many are remembered; those unused for longest are forgotten first. */
  maxRemembered: prop.integer({ default: 1000, min: 1, max: 1_000_000 }),
  /**
   * Passwords that wait for their turn to be hashed. Clients take turns, an IPv6 network of 64 bits counting as one client. Where one more would wait, the
   * client with most of them gets 503 and `retry-after` for its last one: a flood keeps nobody else out, unless it comes from as many addresses.
   */
  maxWaiting: prop.integer({ default: 64, max: 10_000 }),
};

/** Who it is, for the handlets behind `basicAuth`: `req.locals.get(authenticatedUser)`. */
export const authenticatedUser = new LocalKey<string>("authenticatedUser");

/**
 * Asks for name and password with 401. Whoever has them is left to the next handlet or rule. It takes as long to refuse an unknown
 * name as a wrong password. Passwords are hashed on a quarter of the threads that files are read on (one of four; `UV_THREADPOOL_SIZE`), for all `basicAuth` of the process together; each hashing takes
 * 32 MiB of memory at the default cost. Passwords go over the wire in plain text: use it over https.
 */
export const basicAuth = defineHandlet({
  sign: "basicAuth",
  props,
  check(context) {
    for (const [name, hash] of context.props.users) {
      const place = `.users[${JSON.stringify(name)}]`;
      if (!/^[^:\p{Cc}]+$/u.test(name)) {
        context.report({
          prop: "users",
          message: `${place}: a name has no colon and no control characters, and is not empty`,
        });
      }
      if (parsePasswordHash(hash) !== undefined) continue;
      const hint = "make one by `hemi hash-password`, or by hashPassword of @hemi/contrib-handlets";
      context.report({ prop: "users", message: `${place} takes a hash such as $scrypt$ln=15,r=8,p=3$salt$hash`, hint });
    }
  },
  create: (context): HandletPart => new BasicAuth(context),
});

/** At once, in the process: each takes a thread for 100 to 300 ms. */
const maxHashings = Math.max(1, threadPoolSize >> 2);
const hashingTurns = new Turns(maxHashings);

type Verdict = "right" | "wrong" | "too busy";

class BasicAuth implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #hashes: ReadonlyMap<string, PasswordHash> = new Map();
  /** Stands in for the hash of a name that nobody has. */
  #decoy: PasswordHash | undefined;
  #challenge = "";
  /** Of the keys below. Anew with each change of the users: what was right before is then found no more. */
  #secret = randomBytes(32);
  /** Right credentials, by their keys: until when, on the monotonic clock. */
  readonly #remembered: LRUCache<string, number>;
  readonly #verifications = new SingleFlight<Verdict>();
  readonly #hashings: FairQueue;
  readonly #refusals: Tally;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    const { props, log } = context;
    this.#remembered = new LRUCache({ max: props.maxRemembered });
    this.#hashings = new FairQueue({ maxRunning: maxHashings, maxWaiting: props.maxWaiting });
    this.#refusals = new Tally((count) => {
      log.warn(
        `requests refused with 503: ${count}; ${props.maxWaiting} passwords wait to be hashed, which is maxWaiting`,
      );
    });
    this.update();
  }

  update(): void {
    const { users, realm } = this.#context.props;
    const hashes = new Map<string, PasswordHash>();
    for (const [name, text] of users) {
      const hash = parsePasswordHash(text);
      if (hash !== undefined) hashes.set(name.normalize("NFC"), hash);
    }
    const byCost = [...hashes.values()].sort((a, b) => costOf(b) - costOf(a));
    const [dearest] = byCost;
    const cheapest = byCost.at(-1);
    if (dearest !== undefined && cheapest !== undefined && costOf(cheapest) < costOf(dearest)) {
      this.#context.log.warn("the passwords of some users cost less to hash than others: the time tells who is a user");
    }
    this.#hashes = hashes;
    this.#decoy = dearest === undefined ? undefined : decoyOf(dearest);
    this.#challenge = `Basic realm="${realm.replace(/["\\]/g, "\\$&")}", charset="UTF-8"`;
    this.#secret = randomBytes(32);
    this.#remembered.clear();
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const credentials = readBasicCredentials(req.header("authorization"));
    if (credentials === undefined) return this.#ask(resp);
    const key = createHmac("sha256", this.#secret)
      .update(`${credentials.user}:${credentials.password}`)
      .digest("base64");
    const until = this.#remembered.get(key);
    if (until !== undefined && this.#context.stage.clock.monotonic() < until) return letThrough(req, credentials);
    return this.#handleUnknown(req, resp, credentials, key);
  }

  async #handleUnknown(req: Request, resp: Response, credentials: BasicCredentials, key: string): Promise<boolean> {
    const source = keyOfAddress(req.srcHost);
    // A browser that loads a page sends the same credentials many times at once.
    const verdict = await this.#verifications.run(`${source} ${key}`, () => this.#verify(source, credentials, key));
    if (verdict === "right") return letThrough(req, credentials);
    if (verdict === "wrong") return this.#ask(resp);
    this.#refusals.add(this.#context.stage.clock.monotonic());
    return refuse(resp, 503, { "retry-after": "1" });
  }

  async #verify(source: string, { user, password }: BasicCredentials, key: string): Promise<Verdict> {
    const hash = this.#hashes.get(user) ?? this.#decoy;
    if (hash === undefined) return "wrong";
    const isRight = await this.#hashings.run(source, () => hashingTurns.run(() => verifyPassword(password, hash)));
    if (isRight === undefined) return "too busy";
    if (!isRight || hash === this.#decoy) return "wrong";
    const { props, stage } = this.#context;
    if (props.rememberFor > 0) this.#remembered.set(key, stage.clock.monotonic() + props.rememberFor);
    return "right";
  }

  #ask(resp: Response): true {
    return refuse(resp, 401, { "www-authenticate": this.#challenge });
  }
}

function letThrough(req: Request, { user }: BasicCredentials): false {
  req.locals.set(authenticatedUser, user);
  return false;
}
