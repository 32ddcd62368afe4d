// cookieStater: keeps sessions in the cookies of clients, sealed: clients can neither read nor change them.
//
//   token: base64url of  nonce (12) │ AES-256-GCM of JSON │ tag (16)

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { HemiError } from "../../errors/hemi-error.ts";
import { prop } from "../../component/prop.ts";
import { PropError } from "../../component/prop-error.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Context } from "../../stage/context.ts";
import { cookieOf, isWithin, staterProps } from "./stater-props.ts";
import {
  defineStater,
  type SessionChange,
  type SessionCookie,
  type SessionWrite,
  type StaterPart,
  type StoredSession,
} from "./stater.ts";

const props = {
  ...staterProps,
  /**
   * A file with a key in each line, of at least 32 characters: `openssl rand -base64 32` makes one. The first key
   * seals; all of them open. To replace a key, put the new one before it, reload, and remove the old one after
   * `maxLifetime`. Several staters may have one file: a session of one is none of another.
   */
  keyFile: prop.path({ required: true, reload: "live" }),
};

type CookieStaterProps = PropsOf<typeof props>;

/**
 * Keeps sessions in the cookies of clients, sealed and authenticated (AES-256-GCM): nothing is stored here, and any
 * number of machines can serve whose staters have the same keys and the same name. A session has about 3 KB at most.
 * Two things follow from this: a client that brings an older cookie has the older session again until it expires,
 * `destroy` or not; and of two requests at the same time, the later response decides the whole session. A request that
 * only reads is one of them if it renews the cookie, once in half of `idleTimeout`. Use `localStater` for what must not
 * be lost: a basket.
 */
export const cookieStater = defineStater({
  sign: "cookieStater",
  props,
  create: (context): StaterPart => new CookieStater(context),
});

/** What is sealed. */
interface Sealed {
  /** When the session began, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** When it was sealed. */
  readonly usedAt: number;
  /** Names with JSON texts. */
  readonly values: Readonly<Record<string, string>>;
}

class CookieStater implements StaterPart {
  // No store can be down, and no other request is known.
  readonly onDown = "refuse";
  readonly conflict = "last";
  readonly #context: Context<CookieStaterProps>;
  #keys: readonly Buffer[] = [];

  constructor(context: Context<CookieStaterProps>) {
    this.#context = context;
  }

  get cookie(): SessionCookie {
    return cookieOf(this.#context.props);
  }

  async examine(): Promise<void> {
    await readKeys(this.#context.props.keyFile);
  }

  async prepare(): Promise<void> {
    this.#keys = await readKeys(this.#context.props.keyFile);
  }

  async revise(next: CookieStaterProps): Promise<() => void> {
    let other = await readKeys(next.keyFile);
    return () => ([this.#keys, other] = [other, this.#keys]);
  }

  find(token: string): Promise<StoredSession | undefined> {
    const sealed = this.#open(token);
    return Promise.resolve(sealed === undefined ? undefined : entriesOf(sealed.values));
  }

  write(token: string | undefined, changes: readonly SessionChange[]): Promise<SessionWrite> {
    const before = token === undefined ? undefined : this.#open(token);
    if (token !== undefined && before === undefined) return Promise.resolve("gone");
    const values = new Map(Object.entries(before?.values ?? {}));
    for (const { name, json } of changes) {
      if (json === undefined) values.delete(name);
      else values.set(name, json);
    }
    const sealed = { createdAt: before?.createdAt ?? this.#now, usedAt: this.#now, values: Object.fromEntries(values) };
    return Promise.resolve({ token: this.#seal(sealed), session: entriesOf(sealed.values) });
  }

  renewed(token: string): string | undefined {
    const sealed = this.#open(token);
    // Not at each request: of two responses, the later one decides what the session holds.
    if (sealed === undefined || this.#now - sealed.usedAt < this.#context.props.idleTimeout / 2) return undefined;
    return this.#seal({ ...sealed, usedAt: this.#now });
  }

  /** Seals anew: there is nothing that could be made invalid. */
  rotate(token: string): Promise<string | undefined> {
    const sealed = this.#open(token);
    return Promise.resolve(sealed === undefined ? undefined : this.#seal({ ...sealed, usedAt: this.#now }));
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }

  get #now(): number {
    return this.#context.stage.clock.now();
  }

  #seal(sealed: Sealed): string {
    const [key] = this.#keys;
    if (key === undefined) throw new HemiError("HEMI_STAGE_STATE", "the keys are not read yet");
    const nonce = randomBytes(nonceSize);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(this.#purpose);
    const text = Buffer.concat([cipher.update(JSON.stringify(sealed)), cipher.final()]);
    const token = Buffer.concat([nonce, text, cipher.getAuthTag()]).toString("base64url");
    if (token.length <= maxToken) return token;
    const message =
      `the session would make a cookie of ${token.length} bytes, and browsers take ${maxToken}: ` +
      "store less, or use localStater";
    throw new HemiError("HEMI_USAGE", message);
  }

  /** `undefined`: it is forged, expired, or sealed with a key that is no longer there. */
  #open(token: string): Sealed | undefined {
    const bytes = Buffer.from(token, "base64url");
    if (token.length > maxToken || bytes.length <= nonceSize + tagSize) return undefined;
    for (const key of this.#keys) {
      const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceSize)).setAAD(this.#purpose);
      cipher.setAuthTag(bytes.subarray(-tagSize));
      try {
        const text = Buffer.concat([cipher.update(bytes.subarray(nonceSize, -tagSize)), cipher.final()]).toString();
        const sealed: unknown = JSON.parse(text);
        return isSealed(sealed) && this.#isAlive(sealed) ? sealed : undefined;
      } catch {
        // Another key may open it.
      }
    }
    return undefined;
  }

  #isAlive({ createdAt, usedAt }: Sealed): boolean {
    return isWithin(this.#context.props, { createdAt, usedAt, now: this.#now });
  }

  /** A session of another stater, which may have the same keys, is none here; nor is a cookie of another name. */
  get #purpose(): Buffer {
    const { name, props } = this.#context;
    return Buffer.from(JSON.stringify(["session", name, props.cookieName]));
  }
}

async function readKeys(file: string): Promise<readonly Buffer[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new PropError("keyFile", "HEMI_FILE", `${file} cannot be read: ${String(cause)}`, { cause });
  }
  const lines = text.split("\n").map((line) => line.trim());
  const keys = lines.filter((line) => line !== "");
  const short = keys.findIndex((key) => key.length < 32);
  if (keys.length === 0 || short >= 0) {
    const what = keys.length === 0 ? "has no key" : `has a key of less than 32 characters, number ${short + 1}`;
    throw new PropError("keyFile", "HEMI_FILE", `${file} ${what}: make one with openssl rand -base64 32`);
  }
  return keys.map((key) => Buffer.from(hkdfSync("sha256", key, "", "hemi cookieStater", 32)));
}

function isSealed(value: unknown): value is Sealed {
  return typeof value === "object" && value !== null && "values" in value && "usedAt" in value && "createdAt" in value;
}

function entriesOf(values: Readonly<Record<string, string>>): StoredSession {
  return new Map(Object.entries(values).map(([name, json]) => [name, { json, version: 1 }]));
}

const nonceSize = 12;
const tagSize = 16;
/** In characters: browsers take cookies of 4096 bytes with name and attributes (rfc6265bis section 6.1). */
const maxToken = 3900;
