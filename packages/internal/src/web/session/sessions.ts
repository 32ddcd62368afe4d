// The sessions of a webapp: joins its stater with requests and responses.

import type { ErrorLog } from "../../log/error-log.ts";
import { Tally } from "../../log/tally.ts";
import type { CookieOptions } from "../request/cookies.ts";
import { Session, type SessionExchan } from "./session.ts";
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

/** While a store is down, each request of a flood would be a line. */
type SessionFailures = Readonly<Record<"read" | "write", Tally>>;

export class Sessions {
  readonly #stater: () => StaterPart;
  readonly #failures: SessionFailures;

  /** A reload may give the webapp another stater. */
  constructor(stater: () => StaterPart, log: ErrorLog) {
    this.#stater = stater;
    const tell = (what: string) =>
      new Tally((requests, error) => log.error(`a session could not be ${what}`, { error, requests }));
    this.#failures = { read: tell("read"), write: tell("changed") };
  }

  /** The session of a request; nothing is read yet. */
  of(req: SessionRequest, resp: SessionResponse): Session {
    return new Session(this.#stater(), new SessionWire(req, resp, this.#failures));
  }
}

/**
 * What a session has of its request and response. A class: V8 keeps the getters of an object literal among what is old,
 * and with them the whole request until the next full collection of garbage.
 */
class SessionWire implements SessionExchan {
  readonly #req: SessionRequest;
  readonly #resp: SessionResponse;
  readonly #failures: SessionFailures;

  constructor(req: SessionRequest, resp: SessionResponse, failures: SessionFailures) {
    this.#req = req;
    this.#resp = resp;
    this.#failures = failures;
  }

  get isSecure(): boolean {
    return this.#req.scheme === "https";
  }

  get isHeadSent(): boolean {
    return this.#resp.isHeadSent;
  }

  cookie(name: string): string | undefined {
    return this.#req.cookie(name);
  }

  setCookie(name: string, value: string, options: CookieOptions): void {
    this.#resp.setCookie(name, value, options);
  }

  varies(): void {
    if (!this.#resp.isHeadSent) this.#resp.addHeader("vary", "cookie");
  }

  storeFailed(access: "read" | "write", error: unknown): void {
    this.#failures[access].add(performance.now(), error);
  }
}
