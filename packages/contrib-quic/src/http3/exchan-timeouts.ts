// What the exchans of a connection wait for, each with its limit in time, and what becomes of those that pass it.
//
//   handle ──> 503, or the response is broken off     content ──> its reader is told     write ──> the stream is reset

import { ExchanError, StreamTimeouts, type Peer } from "@hemi/internal";
import type { Http3CodecServer } from "./codec-server.ts";
import { errorCode, type Http3ErrorCode } from "./errors.ts";
import type { Http3Exchan, StreamWait } from "./server-exchan.ts";

/** Whose exchans they are. */
export interface ExchanTimeoutsOwner {
  readonly peer: Peer;
  /** Those that may wait. */
  readonly exchans: () => Iterable<Http3Exchan>;
  /** What the client has taken of responses that had to wait, in bytes. */
  readonly progress: () => number;
  /** A handlet works on an exchan that its client has given up, and has had its time. False: it is none of those. */
  readonly forgetAbandoned: (exchan: Http3Exchan) => boolean;
  readonly reset: (exchan: Http3Exchan, code: Http3ErrorCode) => void;
}

export class ExchanTimeouts {
  readonly #server: Http3CodecServer;
  readonly #owner: ExchanTimeoutsOwner;
  readonly #timeouts: StreamTimeouts<StreamWait, Http3Exchan>;

  constructor(server: Http3CodecServer, owner: ExchanTimeoutsOwner) {
    this.#server = server;
    this.#owner = owner;
    this.#timeouts = new StreamTimeouts({
      monotonic: () => server.monotonic(),
      makeDeadline: (onExpired) => server.makeDeadline(onExpired),
      timeOf: (wait, exchan) => this.#timeOf(wait, exchan),
      progress: owner.progress,
      streams: owner.exchans,
      expired: (exchan, wait) => this.#expired(exchan, wait),
    });
  }

  /** Its whole time begins anew. */
  waitFor(exchan: Http3Exchan, wait: StreamWait): void {
    if (wait === "content" && exchan.wait !== "content") exchan.rate.waitFrom(this.#server);
    this.#timeouts.waitFor(exchan, wait);
  }

  waitNoMore(exchan: Http3Exchan): void {
    this.#timeouts.waitNoMore(exchan);
  }

  /** Content has come for a reader that waits. True: it came too slowly, and the reader was told. */
  isTooSlow(exchan: Http3Exchan): boolean {
    const { settings } = this.#server;
    if (exchan.contentTimeout !== undefined) return false;
    if (!exchan.rate.isTooSlow(exchan.request.received, this.#server)) return false;
    this.#giveContentUp(exchan, `its content came at less than ${settings.minContentRate} bytes a second`);
    return true;
  }

  /** No more waiting. */
  end(): void {
    this.#timeouts.end();
  }

  #timeOf(wait: StreamWait, { handleTimeout, contentTimeout }: Http3Exchan): number {
    const own = wait === "handle" ? handleTimeout : wait === "content" ? contentTimeout : undefined;
    return own ?? this.#server.settings[timeouts[wait]];
  }

  #giveContentUp(exchan: Http3Exchan, reason: string): void {
    this.#server.note(this.#owner.peer, reason);
    exchan.endsBecauseOf("contentTimeout");
    exchan.contentFailed(new ExchanError("HEMI_TIMEOUT", "the content of the request did not come in time"));
  }

  #expired(exchan: Http3Exchan, wait: StreamWait): void {
    const { peer, forgetAbandoned, reset } = this.#owner;
    if (forgetAbandoned(exchan)) return;
    const time = this.#timeOf(wait, exchan);
    switch (wait) {
      case "content":
        return this.#giveContentUp(exchan, `no content came for ${time} ms`);
      case "handle":
        this.#server.note(peer, `its request was not answered within ${time} ms`);
        return exchan.giveUp();
      case "write":
        this.#server.note(peer, `it took nothing of its answer for ${time} ms`);
        exchan.endsBecauseOf("writeTimeout");
        reset(exchan, errorCode.requestCancelled);
    }
  }
}

/** By what a stream waits for: the setting that limits it. */
const timeouts = { handle: "handleTimeout", content: "contentTimeout", write: "writeTimeout" } as const;
