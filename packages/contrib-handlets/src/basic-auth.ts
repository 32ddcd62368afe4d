// basicAuth: lets in those who have a name and a password (RFC 7617).

import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { keyOfAddress, SingleFlight, threadPoolSize, Turns } from "@hemi/common";
import {
  authenticatedUser,
  type Context,
  defineHandlet,
  examineFile,
  type Entry,
  type HandletPart,
  PropError,
  prop,
  type PropsOf,
  type Request,
  type Response,
  Tally,
} from "@hemi/internal";
import { LRUCache } from "lru-cache";
import { type BasicCredentials, readBasicCredentials } from "./basic-credentials.ts";
import { FairQueue } from "./fair-queue.ts";
import { HtpasswdThread } from "./htpasswd-thread.ts";
import { costOfKnown, decoyOfKnown, type KnownHash, parseKnownHash, verifyKnown } from "./known-hash.ts";
import { refuse } from "./refuse.ts";
import { parseUsersFile } from "./users-file.ts";

const props = {
  /**
   * Names, and hashes of their passwords: of scrypt, as `hemi hash-password` makes them, or of bcrypt (`$2a$`, `$2b$`,
   * `$2y$`; cost 4 to 15, of the password 72 bytes) or MD5 (`$apr1$`, quick to guess), as `htpasswd` does. A name holds
   * no colon.
   */
  users: prop.dict(prop.string(), { default: {}, reload: "live" }),
  /**
   * A file of more users, with a line `name:hash` for each, as `htpasswd` writes it. It is read again when it has
   * changed, which is seen after a second at most. A line of another form is left out, with a warning in the log. Of a
   * name that `users` has too, that one counts.
   */
  usersFile: prop.path(),
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
   * Passwords that wait for their turn to be hashed. Clients take turns, an IPv6 network of 64 bits counting as one
   * client. Where one more would wait, the client with most of them gets 503 and `retry-after` for its last one: a
   * flood keeps nobody else out, unless it comes from as many addresses. A client that leaves gives its place up.
   */
  maxWaiting: prop.integer({ default: 64, max: 10_000 }),
};

/**
 * Asks for name and password with 401. Whoever has them is left to the next handlet or rule. It takes as long to refuse
 * an unknown name as a wrong password. Passwords are hashed on a quarter of the threads that files are read on (one of
 * four; `UV_THREADPOOL_SIZE`), for all `basicAuth` of the process together; each hashing takes 32 MiB of memory at the
 * default cost. Passwords go over the wire in plain text: use it over https.
 */
export const basicAuth = defineHandlet({
  sign: "basicAuth",
  props,
  check(context) {
    const { users, usersFile } = context.props;
    if (users.size === 0 && usersFile === undefined) {
      context.report({ prop: "users", message: "it would let nobody in", hint: "set .users or .usersFile" });
    }
    for (const [name, hash] of users) {
      const place = `.users[${JSON.stringify(name)}]`;
      if (!/^[^:\p{Cc}]+$/u.test(name)) {
        context.report({
          prop: "users",
          message: `${place}: a name has no colon and no control characters, and is not empty`,
        });
      }
      if (parseKnownHash(hash) !== undefined) continue;
      const hint = "make one by `hemi hash-password`, or by hashPassword of @hemi/contrib-handlets";
      context.report({
        prop: "users",
        message: `${place} takes a hash such as $scrypt$ln=15,r=8,p=3$salt$hash, or one of htpasswd: $2y$ (-B) or $apr1$ (-m)`,
        hint,
      });
    }
  },
  create: (context): HandletPart => new BasicAuth(context),
});

/** At once, in the process: each takes a thread for 100 to 300 ms. */
const maxHashings = Math.max(1, threadPoolSize >> 2);
const hashingTurns = new Turns(maxHashings);

type Verdict = "right" | "wrong" | "too busy";

/**
 * The requests of one verification. If it has to wait and all of them go, it is given up: whoever sends guesses and
 * does not wait for the answers keeps no places in the queue.
 */
class Audience {
  readonly #requests: Request[] = [];
  #gone = 0;
  #giveUp: (() => void) | undefined;

  get isGone(): boolean {
    return this.#gone === this.#requests.length;
  }

  join(req: Request): void {
    this.#requests.push(req);
    if (this.#giveUp !== undefined) this.#watch(req);
  }

  /** Only now it is watched who goes: a client that shuts its side counts as gone where that is watched. */
  readonly waits = (giveUp: () => void): void => {
    this.#giveUp = giveUp;
    for (const req of this.#requests) this.#watch(req);
  };

  #watch(req: Request): void {
    req.onAbort(() => {
      this.#gone++;
      if (this.isGone) this.#giveUp?.();
    });
  }
}

class BasicAuth implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  #hashes: ReadonlyMap<string, KnownHash> = new Map();
  /** Stands in for the hash of a name that nobody has. */
  #decoy: KnownHash | undefined;
  /** The file of users as it was seen last. */
  #seen: Entry | undefined;
  #usersInFile: ReadonlyMap<string, KnownHash> = new Map();
  readonly #htpasswd = new HtpasswdThread();
  #challenge = "";
  /** Of the keys below. Anew with each change of the users: what was right before is then found no more. */
  #secret = randomBytes(32);
  /** Right credentials, by their keys: until when, on the monotonic clock. */
  readonly #remembered: LRUCache<string, number>;
  readonly #verifications = new SingleFlight<Verdict>();
  /** By the keys of the verifications that run or wait. */
  readonly #audiences = new Map<string, Audience>();
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
    const hashes = new Map<string, KnownHash>(this.#usersInFile);
    for (const [name, text] of users) {
      const hash = parseKnownHash(text);
      if (hash !== undefined) hashes.set(name.normalize("NFC"), hash);
    }
    const byCost = [...hashes.values()].sort((a, b) => costOfKnown(b) - costOfKnown(a));
    const [dearest] = byCost;
    const cheapest = byCost.at(-1);
    if (dearest !== undefined && cheapest !== undefined && costOfKnown(cheapest) < costOfKnown(dearest)) {
      this.#context.log.warn("the passwords of some users cost less to hash than others: the time tells who is a user");
    }
    this.#hashes = hashes;
    this.#decoy = dearest === undefined ? undefined : decoyOfKnown(dearest);
    this.#challenge = `Basic realm="${realm.replace(/["\\]/g, "\\$&")}", charset="UTF-8"`;
    this.#secret = randomBytes(32);
    this.#remembered.clear();
  }

  async examine(): Promise<void> {
    const { usersFile } = this.#context.props;
    if (usersFile === undefined) return;
    await examineFile("usersFile", "the file of users", usersFile);
    const { wrongLines } = parseUsersFile(await readFile(usersFile, "utf8"));
    if (wrongLines.length > 0) throw new PropError("usersFile", "HEMI_FILE", wrongLinesOf(usersFile, wrongLines));
  }

  async prepare(): Promise<void> {
    const { usersFile } = this.#context.props;
    if (usersFile !== undefined) await this.#readUsers(usersFile);
  }

  shutdown(): Promise<void> {
    return this.#htpasswd.close();
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const { usersFile } = this.#context.props;
    if (usersFile === undefined || this.#context.stage.fcache.peek(usersFile) === this.#seen) {
      return this.#check(req, resp);
    }
    return this.#readUsers(usersFile).then(() => this.#check(req, resp));
  }

  /** A file that cannot be read now keeps its users: it may be in the middle of being replaced. */
  async #readUsers(usersFile: string): Promise<void> {
    const { stage, log } = this.#context;
    const entry = await stage.fcache.open(usersFile);
    if (entry === this.#seen) return;
    if (entry.kind !== "file") {
      const isNews = entry.kind !== this.#seen?.kind;
      this.#seen = entry;
      if (isNews) log.warn(`the file of users ${usersFile} is no file that can be read: ${entry.kind}`);
      return;
    }
    const text = entry.content?.toString() ?? (await readFile(usersFile, "utf8"));
    const { hashes, wrongLines } = parseUsersFile(text);
    if (wrongLines.length > 0) log.warn(wrongLinesOf(usersFile, wrongLines));
    this.#seen = entry;
    this.#usersInFile = hashes;
    this.update();
  }

  #check(req: Request, resp: Response): boolean | Promise<boolean> {
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
    const flight = `${source} ${key}`;
    let audience = this.#audiences.get(flight);
    if (audience === undefined) this.#audiences.set(flight, (audience = new Audience()));
    audience.join(req);
    const { waits } = audience;
    const verdict = await this.#verifications
      .run(flight, () => this.#verify(source, credentials, key, waits))
      .finally(() => this.#audiences.delete(flight));
    if (verdict === "right") return letThrough(req, credentials);
    if (verdict === "wrong") return this.#ask(resp);
    if (!audience.isGone) this.#refusals.add(this.#context.stage.clock.monotonic());
    return refuse(resp, 503, { "retry-after": "1" });
  }

  async #verify(
    source: string,
    { user, password }: BasicCredentials,
    key: string,
    waits: (giveUp: () => void) => void,
  ): Promise<Verdict> {
    const hash = this.#hashes.get(user) ?? this.#decoy;
    if (hash === undefined) return "wrong";
    const isRight = await this.#hashings.run(
      source,
      () => hashingTurns.run(() => verifyKnown(password, hash, this.#htpasswd)),
      waits,
    );
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

function wrongLinesOf(file: string, lines: readonly number[]): string {
  const shown = lines.slice(0, 10).join(", ") + (lines.length > 10 ? ", …" : "");
  return `${file}: lines without a name and a hash of bcrypt, apr1 or scrypt: ${shown}`;
}

function letThrough(req: Request, { user }: BasicCredentials): false {
  req.locals.set(authenticatedUser, user);
  return false;
}
