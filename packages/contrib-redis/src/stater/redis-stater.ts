// redisStater: stores sessions in Redis.
//
//   token: base64url of  id (16 bytes)  and of  secret (32 bytes)
//          names the key in Redis       its hash is in Redis, and rotation replaces it
//
// A token of another form, which a framework has made, is all secret: its id is derived from it.

import { createHash, randomBytes } from "node:crypto";
import {
  addonKind,
  type Context,
  cookieOf,
  defineStater,
  HemiError,
  prop,
  type PropsOf,
  type SessionChange,
  type SessionCookie,
  type SessionEntry,
  type SessionWrite,
  type StaterPart,
  type StoredSession,
  storingStaterProps,
} from "@hemi/internal";
import type { Lane } from "../lane.ts";
import { redisLink } from "../link.ts";
import { listOf, numberOf, pairsOf, textOf } from "../replies.ts";
import { destroySession, findSession, rotateSession, writeSession } from "./session-scripts.ts";

const props = {
  ...storingStaterProps,
  /** The `redis` that stores the sessions. */
  redis: prop.reference(addonKind, { required: true, offering: redisLink }),
};

type RedisStaterProps = PropsOf<typeof props>;

/**
 * Stores sessions in Redis, for any number of machines. Staters of one name share their sessions if their `redis` is
 * the same server with the same `keyPrefix`. Give it a Redis that evicts nothing (`maxmemory-policy noeviction`), or
 * sessions end early when memory runs short.
 */
export const redisStater = defineStater({
  sign: "redisStater",
  props,
  create: (context): StaterPart => new RedisStater(context),
});

interface Token {
  readonly id: string;
  /** SHA-256: whoever reads Redis cannot use its sessions. */
  readonly hash: string;
}

class RedisStater implements StaterPart {
  readonly #context: Context<RedisStaterProps>;

  constructor(context: Context<RedisStaterProps>) {
    this.#context = context;
  }

  get cookie(): SessionCookie {
    return cookieOf(this.#context.props);
  }

  get onDown(): RedisStaterProps["onDown"] {
    return this.#context.props.onDown;
  }

  get conflict(): RedisStaterProps["conflict"] {
    return this.#context.props.conflict;
  }

  async find(token: string): Promise<StoredSession | undefined> {
    const parsed = parseToken(token);
    if (parsed === undefined) return undefined;
    const fields = await this.#lane.run(findSession, [this.#keyOf(parsed)], this.#timesOf(parsed));
    if (fields === null) return undefined;
    const entries = pairsOf(fields).map(([field, value]) => [textOf(field), textOf(value)] as const);
    return sessionOf(
      entries.filter(([field]) => field.startsWith("e")).map(([field, value]) => [field.slice(1), value]),
    );
  }

  async write(token: string | undefined, changes: readonly SessionChange[], fresh = newToken()): Promise<SessionWrite> {
    const given = token ?? fresh;
    const parsed = parseToken(given);
    if (parsed === undefined) return "gone";
    const { maxSessionSize } = this.#context.props;
    const [outcome, ...rest] = listOf(
      await this.#lane.run(
        writeSession,
        [this.#keyOf(parsed)],
        [
          ...this.#timesOf(parsed),
          maxSessionSize,
          token === undefined ? "new" : "old",
          ...changes.flatMap(argumentsOf),
        ],
      ),
    );
    switch (outcome) {
      case "stored":
        return {
          token: given,
          session: sessionOf(pairsOf(rest).map(([name, value]) => [textOf(name), textOf(value)])),
        };
      case "conflict":
        return { conflict: textOf(rest[0]) };
      case "large": {
        const size = numberOf(rest[0]);
        const message = `the session would have ${size} bytes, and maxSessionSize is ${maxSessionSize}`;
        throw new HemiError("HEMI_USAGE", message);
      }
      default:
        return "gone";
    }
  }

  async rotate(token: string): Promise<string | undefined> {
    const parsed = parseToken(token);
    if (parsed === undefined) return undefined;
    const next = parsed.id + newSecret();
    const args = [...this.#timesOf(parsed), hashOf(next)];
    const isRotated = numberOf(await this.#lane.run(rotateSession, [this.#keyOf(parsed)], args)) === 1;
    return isRotated ? next : undefined;
  }

  async destroy(token: string): Promise<void> {
    const parsed = parseToken(token);
    if (parsed !== undefined) await this.#lane.run(destroySession, [this.#keyOf(parsed)], [parsed.hash]);
  }

  get #lane(): Lane {
    return this.#context.props.redis.current.lane("requests");
  }

  #keyOf({ id }: Token): string {
    return `${this.#context.props.redis.current.keyPrefix}session:${this.#context.name}:${id}`;
  }

  #timesOf({ hash }: Token): readonly [hash: string, idleTimeout: number, maxLifetime: number] {
    const { idleTimeout, maxLifetime } = this.#context.props;
    return [hash, idleTimeout, maxLifetime];
  }
}

/** `undefined`: nobody has got such a token from here. */
function parseToken(token: string): Token | undefined {
  if (!/^[\w-]{22,128}$/.test(token)) return undefined;
  const id = token.length === ownLength ? token : hashOf(`id ${token}`);
  return { id: id.slice(0, idLength), hash: hashOf(token) };
}

function newToken(): string {
  return randomBytes(16).toString("base64url") + newSecret();
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

function argumentsOf({ name, json, ifVersion }: SessionChange): readonly string[] {
  return [name, ifVersion === undefined ? "" : String(ifVersion), json === undefined ? "remove" : "set", json ?? ""];
}

/** From names, and versions with JSON texts: `12:{"a":1}`. */
function sessionOf(entries: readonly (readonly [name: string, value: string])[]): StoredSession {
  return new Map(
    entries.map(([name, value]): [string, SessionEntry] => {
      const colon = value.indexOf(":");
      return [name, { version: Number(value.slice(0, colon)), json: value.slice(colon + 1) }];
    }),
  );
}

/** Of 16 bytes as base64url. */
const idLength = 22;
/** Of a token that was made here, with 32 bytes more. */
const ownLength = 65;
