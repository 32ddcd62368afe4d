// The kind `stater`: stores sessions. A webapp names one by `.withStater`; handlets use `req.session`.

import { kind, shape } from "../../component/kind.ts";
import type { Part } from "../../component/part.ts";
import { definer } from "../../stage/definer.ts";

/** What is stored under one name. */
export interface SessionEntry {
  /** The value as JSON. */
  readonly json: string;
  /** Another one after each change of it. */
  readonly version: number;
}

/** A session that was found, by name. */
export type StoredSession = ReadonlyMap<string, SessionEntry>;

/** One change of a session. */
export interface SessionChange {
  /** The name of the entry. */
  readonly name: string;
  /** The new value as JSON; `undefined`: none any more. */
  readonly json: string | undefined;
  /** The change is made only if the stored entry has this version; 0: if there is none. `undefined`: in any case. */
  readonly ifVersion?: number | undefined;
}

/** What became of changes: all were made, and the client is to have this token from now on; or none was. */
export type SessionWrite =
  | { readonly token: string; readonly session: StoredSession }
  /** Another request has changed this entry meanwhile. */
  | { readonly conflict: string }
  /** The session was ended meanwhile. */
  | "gone";

/** How changes are made. */
export interface SessionWriteOptions {
  /**
   * The token of a new session, which the caller has made of 128 random bits or more, as 22 to 128 characters of
   * base64url. Default: the stater makes one; a stater that stores nothing does so in any case.
   */
  readonly newToken?: string;
  /** What `find` or `write` returned for the token: a store need not be asked again for what has not changed since. */
  readonly found?: StoredSession;
}

/** What a stater's configuration says about its cookie. */
export interface SessionCookie {
  /** Over https, `__Host-` stands before it. */
  readonly name: string;
  /** Whether it is sent when a link of another site is followed: `lax` sends it. */
  readonly sameSite: "strict" | "lax";
  /** In seconds; `undefined`: it lives as long as the browser runs. */
  readonly maxAge: number | undefined;
}

/**
 * Stores sessions. A token is what the client has of a session. All methods reject with the error of the store; what a
 * client has made up is no error.
 */
export interface StaterPart extends Part {
  /** The cookie that holds the token. */
  readonly cookie: SessionCookie;
  /**
   * What becomes of requests while the store fails. `refuse`: what needs the session gets 503. `readOnly`: what cannot
   * be read is empty, and changes get 503. `anonymous`: what cannot be read is empty, and changes are lost.
   */
  readonly onDown: "refuse" | "readOnly" | "anonymous";
  /** If two requests change one entry: the later change wins (`last`), or fails (`refuse`). */
  readonly conflict: "last" | "refuse";
  /** The session of a token; `undefined` if it is unknown, forged, or has expired. */
  find(token: string): Promise<StoredSession | undefined>;
  /**
   * Makes all of the changes or none; without a token, in a new session. Other entries stay as they are, as other
   * requests have left them.
   */
  write(
    token: string | undefined,
    changes: readonly SessionChange[],
    options?: SessionWriteOptions,
  ): Promise<SessionWrite>;
  /**
   * For a stater whose tokens hold the time of the last use: the token that the client of a session is to have from now
   * on, so that the session does not become idle; `undefined`: the one that it has.
   */
  renewed?(token: string): string | undefined;
  /** Another token for the same session. The old one is no good any more; `undefined` if it was not. */
  rotate(token: string): Promise<string | undefined>;
  /** Ends a session. */
  destroy(token: string): Promise<void>;
}

/** Stores sessions. */
export const staterKind = kind({
  name: "stater",
  rank: 3,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<StaterPart>(),
  owner: shape<undefined>(),
});

/** Declares a stater: it stores the sessions of webapps. `staterTests` has its contract as tests. */
export const defineStater = definer(staterKind);
