// The session of a client, as handlets see it. Nothing is read before it is asked for, and no client gets a cookie
// before something is stored.

import { HemiError } from "../../errors/hemi-error.ts";
import { HTTPError } from "../http-error.ts";
import type { CookieOptions } from "../request/cookies.ts";
import type { SessionChange, StaterPart, StoredSession } from "./stater.ts";

/** What a session needs of its exchan. */
export interface SessionExchan {
  /** Whether the client uses https. */
  readonly isSecure: boolean;
  /** The value of a cookie of the client. */
  cookie(name: string): string | undefined;
  /** Whether it is too late for a cookie. */
  readonly isHeadSent: boolean;
  /** Sends a cookie. Throws HEMI_HEAD_SENT. */
  setCookie(name: string, value: string, options: CookieOptions): void;
  /** The response depends on the session: caches must know it. */
  varies(): void;
  /** The store has failed. */
  storeFailed(access: "read" | "write", error: unknown): void;
}

/** The session of one client, in one request. Each change is stored when its promise settles. */
export class Session {
  readonly #stater: StaterPart;
  readonly #exchan: SessionExchan;
  #token: string | undefined;
  /** Why the session of the client, which may be there, is not known. */
  #unread: { readonly token: string; readonly error: unknown } | undefined;
  #loading: Promise<StoredSession> | undefined;
  /** The last change that was begun; `undefined`: all are settled. */
  #changing: Promise<void> | undefined;

  constructor(stater: StaterPart, exchan: SessionExchan) {
    this.#stater = stater;
    this.#exchan = exchan;
  }

  /** Stores it: for adapters of other frameworks, which have tokens of their own. */
  get stater(): StaterPart {
    return this.#stater;
  }

  /** Whether the client has a session. */
  async exists(): Promise<boolean> {
    await this.#load();
    return this.#token !== undefined;
  }

  /** What is stored under a name; `undefined`: nothing. Each call gives another copy. */
  async get(name: string): Promise<unknown> {
    const entry = (await this.#load()).get(name);
    return entry === undefined ? undefined : (JSON.parse(entry.json) as unknown);
  }

  /** All that is stored, by name. */
  async all(): Promise<Readonly<Record<string, unknown>>> {
    const entries = [...(await this.#load())].map(([name, { json }]) => [name, JSON.parse(json) as unknown] as const);
    return Object.fromEntries(entries);
  }

  /**
   * Stores a value that can be JSON; `undefined` removes it. Other names keep what other requests store under them.
   * Call it before the head of the response is sent, which may get a cookie. Throws HTTPError 409 if another request
   * has changed it meanwhile and the stater has `.conflict = "refuse"`, or has ended the session.
   */
  set(name: string, value: unknown): Promise<void> {
    return this.setAll({ [name]: value });
  }

  /** The same for several names: all of them are stored, or none. */
  async setAll(values: Readonly<Record<string, unknown>>): Promise<void> {
    const entries = Object.entries(values).map(([name, value]) => ({ name, json: jsonOf(name, value) }));
    const conflict = await this.#inTurn(async () => {
      const stored = await this.#load();
      const isStrict = this.#stater.conflict === "refuse";
      const changes = entries.map((entry) => {
        return { ...entry, ifVersion: isStrict ? (stored.get(entry.name)?.version ?? 0) : undefined };
      });
      return await this.#write(changes, stored);
    });
    if (conflict !== undefined) throw new HTTPError(409, `another request has changed ${conflict} in the session`);
  }

  /**
   * Computes a value from the one before, such as a counter: no change of another request is lost. `change` may be
   * called several times. Returns the new value. Throws HTTPError 409 if others change it all the time.
   */
  update<Value>(name: string, change: (before: unknown) => Value): Promise<Value> {
    return this.#inTurn(async () => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const stored = await this.#load();
        const entry = stored.get(name);
        const value = change(entry === undefined ? undefined : JSON.parse(entry.json));
        const changes = [{ name, json: jsonOf(name, value), ifVersion: entry?.version ?? 0 }];
        const conflict = await this.#write(changes, stored);
        if (conflict === undefined) return value;
        this.#loading = undefined;
      }
      throw new HTTPError(409, `other requests change ${name} in the session all the time`);
    });
  }

  /**
   * Gives the client another token for the same session: call it at each login, so that a token that somebody has
   * planted or seen before is no good ("session fixation").
   */
  rotate(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#load();
      const token = this.#token;
      if (token === undefined || this.#isUnreadable()) return;
      const next = await this.#guarded("write", () => this.#stater.rotate(token), null);
      // What follows, such as the name of a user, must not get under a token that somebody may have planted.
      if (next === null) return this.#forget();
      if (next === undefined) throw new HTTPError(409, "the session was ended by another request");
      this.#tell(next);
    });
  }

  /** Ends the session, and removes the cookie. */
  destroy(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#load();
      const token = this.#token ?? this.#unread?.token;
      this.#forget();
      this.#unread = undefined;
      if (token === undefined) return;
      await this.#guarded("write", () => this.#stater.destroy(token), undefined);
      this.#setCookie("", 0);
    });
  }

  /**
   * What a handlet changes at once is changed in the order of its calls: each change needs the token and the entries
   * that the one before has left.
   */
  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = this.#changing === undefined ? change() : this.#changing.then(change);
    const settled = changed.then(ignore, ignore).then(() => {
      if (this.#changing === settled) this.#changing = undefined;
    });
    this.#changing = settled;
    return changed;
  }

  #load(): Promise<StoredSession> {
    return (this.#loading ??= this.#find());
  }

  async #find(): Promise<StoredSession> {
    this.#exchan.varies();
    const token = this.#token ?? this.#exchan.cookie(this.#cookieName);
    if (token === undefined || token === "") return empty;
    const find = () => this.#stater.find(token);
    const found = await this.#guarded("read", find, undefined, (error) => (this.#unread = { token, error }));
    // A token that is not known is not used: whoever planted it would know it.
    this.#token = found === undefined ? undefined : token;
    const renewed = found === undefined || this.#exchan.isHeadSent ? undefined : this.#stater.renewed?.(token);
    if (renewed !== undefined) this.#tell(renewed);
    return found ?? empty;
  }

  /** Returns the name on which there is a conflict. */
  async #write(changes: readonly SessionChange[], found: StoredSession): Promise<string | undefined> {
    const token = this.#token;
    const isIdle = changes.every(({ json }) => json === undefined);
    if ((token === undefined && isIdle) || this.#isUnreadable()) return undefined;
    const written = await this.#guarded("write", () => this.#stater.write(token, changes, { found }), undefined);
    if (written === undefined) return undefined;
    if (written === "gone") throw new HTTPError(409, "the session was ended by another request");
    if ("conflict" in written) return written.conflict;
    this.#loading = Promise.resolve(written.session);
    if (written.token !== token) this.#tell(written.token);
    return undefined;
  }

  /** Another session must not take the place of one that could not be read: changes are lost, or get HTTPError 503. */
  #isUnreadable(): boolean {
    if (this.#unread === undefined) return false;
    if (this.#stater.onDown !== "anonymous") throw unavailable(this.#unread.error);
    return true;
  }

  #forget(): void {
    this.#token = undefined;
    this.#loading = Promise.resolve(empty);
  }

  /** What fails has the consequences that `onDown` says; `otherwise` is what then counts. */
  async #guarded<Result, Otherwise>(
    access: "read" | "write",
    work: () => Promise<Result>,
    otherwise: Otherwise,
    failed?: (error: unknown) => void,
  ): Promise<Result | Otherwise> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof HemiError || error instanceof HTTPError) throw error;
      this.#exchan.storeFailed(access, error);
      failed?.(error);
      const { onDown } = this.#stater;
      if (onDown === "anonymous" || (onDown === "readOnly" && access === "read")) return otherwise;
      throw unavailable(error);
    }
  }

  #tell(token: string): void {
    this.#token = token;
    this.#setCookie(token, this.#stater.cookie.maxAge);
  }

  #setCookie(value: string, maxAge: number | undefined): void {
    const { sameSite } = this.#stater.cookie;
    const { isSecure } = this.#exchan;
    const lifetime = maxAge === undefined ? {} : { maxAge };
    this.#exchan.setCookie(this.#cookieName, value, { ...lifetime, sameSite, httpOnly: true, secure: isSecure });
  }

  /** With `__Host-`, no other host and no plain http can plant one (rfc6265bis section 4.1.3.2). */
  get #cookieName(): string {
    const { name } = this.#stater.cookie;
    return this.#exchan.isSecure ? `__Host-${name}` : name;
  }
}

function unavailable(cause: unknown): HTTPError {
  return new HTTPError(503, "the store of sessions is down", { cause });
}

function jsonOf(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  // Of a function and of a symbol, there is none.
  const json: unknown = JSON.stringify(value);
  if (typeof json !== "string") {
    throw new HemiError("HEMI_USAGE", `a session holds what can be JSON, unlike ${typeof value} under ${name}`);
  }
  return json;
}

function ignore(): void {}

const empty: StoredSession = new Map();

/** Not a prop: so many requests of one client do not come between each other by chance. */
const maxAttempts = 20;
