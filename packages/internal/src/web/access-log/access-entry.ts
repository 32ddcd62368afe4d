// What an access log knows of one request: from when its head was complete to when its answer was over.

import type { Clock } from "../../fixtures/clock.ts";
import type { EndReason } from "../../http/end-reason.ts";
import type { EndListener } from "../../http/exchan.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";

/** Makes the line of one request, its end included. */
export type LineFormat = (entry: AccessEntry) => string;

export class AccessEntry {
  readonly req: Request;
  /** Its head is final once the entry is over. */
  readonly resp: Pick<Response, "header">;
  /** When the head was complete, in ms since the epoch. */
  readonly time: number;
  /** Is the line wanted? Whoever has the request just now says so. */
  isWanted = true;
  /** Of the answer; 499 if none was sent, as nginx has it: its readers know the number. */
  status = 499;
  /** Content in bytes. */
  contentSent = 0;
  endReason: EndReason = "complete";
  /** In ms on the monotonic clock: when the head was complete, the answer's head was sent, and the answer was over. */
  readonly #beganAt: number;
  #headSentAt: number | undefined;
  #endedAt = 0;
  readonly #clock: Pick<Clock, "monotonic" | "timeOf">;
  readonly #over: (entry: AccessEntry) => void;

  /** To be made when the request's head is complete. `over` gets the entry once it is to be written. */
  constructor(
    req: Request,
    resp: Pick<Response, "header">,
    clock: Pick<Clock, "monotonic" | "timeOf">,
    over: (entry: AccessEntry) => void,
  ) {
    this.req = req;
    this.resp = resp;
    this.#clock = clock;
    this.#over = over;
    this.#beganAt = clock.monotonic();
    this.time = clock.timeOf(this.#beganAt);
  }

  headSent(): void {
    this.#headSentAt = this.#clock.monotonic();
  }

  readonly ended: EndListener = (status, contentSent, reason) => {
    if (!this.isWanted) return;
    if (status !== undefined) this.status = status;
    this.contentSent = contentSent;
    this.endReason = reason;
    this.#endedAt = this.#clock.monotonic();
    this.#over(this);
  };

  /** From the first byte of the head to its last, in ms; 0 if they came together. */
  get headTime(): number {
    return this.req.headTime;
  }

  /** From then on until the answer's head was sent, in ms; if none was, until the end. */
  get handleTime(): number {
    return (this.#headSentAt ?? this.#endedAt) - this.#beganAt;
  }

  /** From then on until the last byte was handed to the connection, in ms. */
  get sendTime(): number {
    return this.#endedAt - (this.#headSentAt ?? this.#endedAt);
  }

  /** All three, in ms. */
  get totalTime(): number {
    return this.headTime + this.#endedAt - this.#beganAt;
  }
}
