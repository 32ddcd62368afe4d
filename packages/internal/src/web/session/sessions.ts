// The sessions of a webapp: joins its stater with requests and responses.

import type { ErrorLog } from "../../log/error-log.ts";
import { Tally } from "../../log/tally.ts";
import type { CookieOptions } from "../request/cookies.ts";
import { Session } from "./session.ts";
import type { StaterPart } from "./stater.ts";

/** What is needed of a request. */
export interface SessionRequest {
  readonly scheme: "http" | "https";
  cookie(name: string): string | undefined;
}

/** What is needed of its response. */
export interface SessionResponse {
  readonly isHeadSent: boolean;
  setCookie(name: string, value: string, options?: CookieOptions): void;
  addHeader(name: string, value: string): void;
}

export class Sessions {
  readonly #stater: () => StaterPart;
  readonly #failures: Readonly<Record<"read" | "write", Tally>>;

  /** A reload may give the webapp another stater. */
  constructor(stater: () => StaterPart, log: ErrorLog) {
    this.#stater = stater;
    const tell = (what: string) =>
      new Tally((requests, error) => log.error(`a session could not be ${what}`, { error, requests }));
    this.#failures = { read: tell("read"), write: tell("changed") };
  }

  /** The session of a request; nothing is read yet. */
  of(req: SessionRequest, resp: SessionResponse): Session {
    const exchan = {
      isSecure: req.scheme === "https",
      get isHeadSent() {
        return resp.isHeadSent;
      },
      cookie: (name: string) => req.cookie(name),
      setCookie: (name: string, value: string, options: CookieOptions) => resp.setCookie(name, value, options),
      varies: () => (resp.isHeadSent ? undefined : resp.addHeader("vary", "cookie")),
      // While a store is down, each request of a flood would be a line.
      storeFailed: (access: "read" | "write", error: unknown) => this.#failures[access].add(performance.now(), error),
    };
    return new Session(this.#stater(), exchan);
  }
}
