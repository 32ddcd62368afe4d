// What the exchans of a connection with streams wait for, each with its limit in time, and what becomes of those that
// pass it.
//
//   handle ──> 503, or the response is broken off     content ──> its reader is told     write ──> the stream is reset

import type { Peer } from "../net/peer.ts";
import type { CodecServer, CodecSettings } from "./codec-server.ts";
import { ExchanError } from "./exchan-error.ts";
import type { StreamServerExchan, StreamWait } from "./stream-server-exchan.ts";
import { StreamTimeouts } from "./stream-timeouts.ts";

/** What is needed of the server. */
export interface TimingServer extends Pick<CodecServer, "makeDeadline" | "monotonic" | "note" | "stood"> {
  /** Live: read when used. */
  readonly settings: Pick<
    CodecSettings,
    "handleTimeout" | "contentTimeout" | "writeTimeout" | "minContentRate" | "contentRateGrace"
  >;
}

/** Whose exchans they are. */
export interface ExchanTimeoutsOwner<Exchan> {
  readonly peer: Peer;
  /** In milliseconds. Default: the clock of the server. A connection may read it less often. */
  readonly monotonic?: () => number;
  /** Those that may wait. */
  readonly exchans: () => Iterable<Exchan>;
  /** What the client has taken of responses that had to wait, in bytes. */
  readonly progress: () => number;
  /** A handlet works on an exchan that its client has given up, and has had its time. False: it is none of those. */
  readonly forgetAbandoned: (exchan: Exchan) => boolean;
  /** Whether a client that took nothing of the response for `writeTimeout` has all of it again. Default: no. */
  readonly isOnlySlow?: (exchan: Exchan) => boolean;
  /** Resets the stream of a response that the client does not take. */
  readonly cancel: (exchan: Exchan) => void;
}

/** Keeps the time limits of all exchans of a connection, and the rate at which their content has to come. */
export class ExchanTimeouts<Exchan extends StreamServerExchan> {
  readonly #server: TimingServer;
  readonly #owner: ExchanTimeoutsOwner<Exchan>;
  readonly #timeouts: StreamTimeouts<StreamWait, Exchan>;

  constructor(server: TimingServer, owner: ExchanTimeoutsOwner<Exchan>) {
    this.#server = server;
    this.#owner = owner;
    this.#timeouts = new StreamTimeouts({
      monotonic: owner.monotonic ?? (() => server.monotonic()),
      makeDeadline: (onExpired) => server.makeDeadline(onExpired),
      timeOf: (wait, exchan) => this.#timeOf(wait, exchan),
      progress: owner.progress,
      streams: owner.exchans,
      expired: (exchan, wait) => this.#expired(exchan, wait),
    });
  }

  /** Its whole time begins anew. */
  waitFor(exchan: Exchan, wait: StreamWait): void {
    if (wait === "content" && exchan.wait !== "content") exchan.contentRate?.waitFrom(this.#server);
    this.#timeouts.waitFor(exchan, wait);
  }

  /** It is not waited for any more. */
  waitNoMore(exchan: Exchan): void {
    this.#timeouts.waitNoMore(exchan);
  }

  /**
   * Content has come for a reader that waits. True: it came too slowly, and the reader was told. `received`: of all of
   * it, in bytes.
   */
  isTooSlow(exchan: Exchan, received: number): boolean {
    const { settings } = this.#server;
    if (exchan.contentTimeout !== undefined) return false;
    if (exchan.contentRate?.isTooSlow(received, this.#server) !== true) return false;
    this.#giveContentUp(exchan, `its content came at less than ${settings.minContentRate} bytes a second`);
    return true;
  }

  /** No more waiting. */
  end(): void {
    this.#timeouts.end();
  }

  #timeOf(wait: StreamWait, { handleTimeout, contentTimeout }: Exchan): number {
    const own = wait === "handle" ? handleTimeout : wait === "content" ? contentTimeout : undefined;
    return own ?? this.#server.settings[timeouts[wait]];
  }

  #giveContentUp(exchan: Exchan, reason: string): void {
    this.#server.note(this.#owner.peer, reason);
    exchan.endsBecauseOf("contentTimeout");
    exchan.contentFailed(new ExchanError("HEMI_TIMEOUT", "the content of the request did not come in time"));
  }

  #expired(exchan: Exchan, wait: StreamWait): void {
    const { peer, forgetAbandoned, isOnlySlow, cancel } = this.#owner;
    if (forgetAbandoned(exchan)) return;
    const time = this.#timeOf(wait, exchan);
    switch (wait) {
      case "content":
        return this.#giveContentUp(exchan, `no content came for ${time} ms`);
      case "handle":
        this.#server.note(peer, `its request was not answered within ${time} ms`);
        return exchan.giveUp();
      case "write":
        if (isOnlySlow?.(exchan) === true) return this.waitFor(exchan, "write");
        this.#server.note(peer, `it took nothing of its answer for ${time} ms`);
        exchan.endsBecauseOf("writeTimeout");
        cancel(exchan);
    }
  }
}

/** By what a stream waits for: the setting that limits it. */
const timeouts = { handle: "handleTimeout", content: "contentTimeout", write: "writeTimeout" } as const;
