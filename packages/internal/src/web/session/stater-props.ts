// Props that all staters have.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { SessionCookie } from "./stater.ts";

/** What all staters have in common. */
export const staterProps = {
  /** The name of the cookie. Over https, `__Host-` stands before it. */
  cookieName: prop.string({
    default: "session",
    maxLength: 100,
    pattern: { expression: /^(?!__)[\w-]+$/, takes: "letters, digits, _ and -, and no __ at its begin" },
  }),
  /** `strict`: it is not sent when a link of another site is followed. */
  sameSite: prop.choice(["lax", "strict"], { default: "lax", reload: "live" }),
  /** A session ends so long after it was asked for last. */
  idleTimeout: prop.duration({ default: "1d", min: "1s", max: "365d", reload: "live" }),
  /** A session ends so long after its begin, in any case. */
  maxLifetime: prop.duration({ default: "30d", min: "1s", max: "365d", reload: "live" }),
  /** Whether the cookie outlives the browser, for `maxLifetime`. */
  isPersistent: prop.bool({ default: false, reload: "live" }),
};

/** What staters have in common that store sessions outside of the clients. */
export const storingStaterProps = {
  ...staterProps,
  /**
   * What becomes of requests while the store fails: its disk is full, or it cannot be reached. `refuse`: what needs the
   * session gets 503. `readOnly`: what cannot be read is empty, and changes get 503. `anonymous`: what cannot be read
   * is empty, and changes are lost.
   */
  onDown: prop.choice(["refuse", "readOnly", "anonymous"], { required: true, reload: "live" }),
  /**
   * If two requests of a client change the same entry of a session: the later change wins (`last`), or gets 409
   * (`refuse`). Changes of different entries never get in each other's way.
   */
  conflict: prop.choice(["last", "refuse"], { default: "last", reload: "live" }),
  /** The largest session, in bytes of JSON; a change that makes it larger gets 500. */
  maxSessionSize: prop.size({ default: "64K", min: 100, max: "16M", reload: "live" }),
};

type StaterProps = PropsOf<typeof staterProps>;

/** The cookie that these props describe. */
export function cookieOf({ cookieName, sameSite, isPersistent, maxLifetime }: StaterProps): SessionCookie {
  return { name: cookieName, sameSite, maxAge: isPersistent ? Math.floor(maxLifetime / 1000) : undefined };
}

/** The times of a session, in milliseconds since the epoch. */
interface SessionTimes {
  readonly createdAt: number;
  readonly usedAt: number;
  readonly now: number;
}

/**
 * Whether a session goes on. One that seems to come from later was made while the clock was ahead: it must not last for
 * longer by all of that.
 */
export function isWithin(
  { idleTimeout, maxLifetime }: Pick<StaterProps, "idleTimeout" | "maxLifetime">,
  { createdAt, usedAt, now }: SessionTimes,
): boolean {
  return Math.abs(now - usedAt) < idleTimeout && Math.abs(now - createdAt) < maxLifetime;
}
