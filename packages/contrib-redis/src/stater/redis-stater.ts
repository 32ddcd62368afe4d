// redisStater: stores sessions in Redis.

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
  type SessionWrite,
  type SessionWriteOptions,
  type StaterPart,
  type StoredSession,
  storingStaterProps,
} from "@hemi/internal";
import type { Lane } from "../lane.ts";
import { redisLink } from "../link.ts";
import { listOf, numberOf, textOf } from "../replies.ts";
import { RedisSession } from "./redis-session.ts";
import { destroySession, findSession, rotateSession, writeSession } from "./session-scripts.ts";
import { newToken, parseToken, rotatedToken, type Token } from "./token.ts";

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
    return fields === null ? undefined : RedisSession.read(parsed, fields);
  }

  async write(
    token: string | undefined,
    changes: readonly SessionChange[],
    { newToken: fresh, found }: SessionWriteOptions = {},
  ): Promise<SessionWrite> {
    const given = token ?? fresh ?? newToken();
    const known = found instanceof RedisSession ? found : undefined;
    const parsed = known?.token.text === given ? known.token : parseToken(given);
    if (parsed === undefined) return "gone";
    const { maxSessionSize } = this.#context.props;
    const expected = known?.changed(changes);
    const isExpectable = known !== undefined && expected !== undefined && expected.byteSize <= maxSessionSize;
    const version = isExpectable ? String(known.version) : "";
    const args = [...this.#timesOf(parsed), maxSessionSize, token === undefined ? "new" : version];
    const reply = await this.#lane.run(writeSession, [this.#keyOf(parsed)], [...args, ...changes.flatMap(argumentsOf)]);
    const [outcome, ...rest] = listOf(reply);
    switch (outcome) {
      case "made":
        return expected === undefined ? "gone" : { token: given, session: expected };
      case "stored":
        return { token: given, session: RedisSession.read(parsed, rest) };
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
    const next = rotatedToken(parsed);
    const args = [...this.#timesOf(parsed), next.digest];
    const isRotated = numberOf(await this.#lane.run(rotateSession, [this.#keyOf(parsed)], args)) === 1;
    return isRotated ? next.text : undefined;
  }

  async destroy(token: string): Promise<void> {
    const parsed = parseToken(token);
    if (parsed !== undefined) await this.#lane.run(destroySession, [this.#keyOf(parsed)], [parsed.digest]);
  }

  get #lane(): Lane {
    return this.#context.props.redis.current.lane("requests");
  }

  #keyOf({ id }: Token): string {
    return `${this.#context.props.redis.current.keyPrefix}session:${this.#context.name}:${id}`;
  }

  #timesOf({ digest }: Token): readonly [digest: string, idleTimeout: number, maxLifetime: number] {
    const { idleTimeout, maxLifetime } = this.#context.props;
    return [digest, idleTimeout, maxLifetime];
  }
}

function argumentsOf({ name, json, ifVersion }: SessionChange): readonly string[] {
  return [name, ifVersion === undefined ? "" : String(ifVersion), json === undefined ? "remove" : "set", json ?? ""];
}
