// The data of one request for an access log: from the completion of its head to the end of its response.

import type { Clock } from "../../fixtures/clock.ts";
import type { EndReason } from "../../http/end-reason.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { ProgressListener } from "../response/tracked-response.ts";

export class AccessEntry implements ProgressListener {
  readonly req: Request;
  /** Its head is final once the entry is over. */
  readonly resp: Pick<Response, "header">;
  /** When the head was complete, in ms since the epoch. */
  readonly time: number;
  /** Whether the line is wanted. The current rule or webapp decides. */
  isWanted = true;
  /** The rule that has the request; `undefined`: none takes it. */
  rule: { readonly path: string } | undefined;
  /** The status of the response; 499 without one, as in nginx: log readers know the number. */
  status = 499;
  /** Content in bytes. */
  contentSent = 0;
  endReason: EndReason = "complete";
  /** The address of the node that was asked last; "" if none was. */
  node = "";
  /** How often a node was asked. */
  attempts = 0;
  #nodeAskedAt: number | undefined;
  #nodeDoneAt: number | undefined;
  /**
   * In milliseconds on the monotonic clock: when the head was complete, when the response head was sent, and when the
   * response ended.
   */
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

  /** As the constructor, for a request whose response has not begun: its progress is noted from here on. */
  static follow(
    req: Request,
    resp: Response,
    clock: Pick<Clock, "monotonic" | "timeOf">,
    over: (entry: AccessEntry) => void,
  ): AccessEntry {
    const entry = new AccessEntry(req, resp, clock, over);
    resp.reportTo(entry);
    return entry;
  }

  headSent(): void {
    this.#headSentAt = this.#clock.monotonic();
  }

  nodeAsked(): void {
    this.attempts++;
    this.#nodeAskedAt ??= this.#clock.monotonic();
  }

  nodeDone(node: string): void {
    this.node = node;
    this.#nodeDoneAt = this.#clock.monotonic();
  }

  ended(status: number | undefined, contentSent: number, reason: EndReason): void {
    if (!this.isWanted) return;
    if (status !== undefined) this.status = status;
    this.contentSent = contentSent;
    this.endReason = reason;
    this.#endedAt = this.#clock.monotonic();
    this.#over(this);
  }

  /** From the first byte of the head to its last, in milliseconds; 0 if they arrived together. */
  get headTime(): number {
    return this.req.headTime;
  }

  /** From then until the response head was sent, in milliseconds; without a response, until the end. */
  get handleTime(): number {
    return (this.#headSentAt ?? this.#endedAt) - this.#beganAt;
  }

  /** From then until the last byte was passed to the connection, in milliseconds. */
  get sendTime(): number {
    return this.#endedAt - (this.#headSentAt ?? this.#endedAt);
  }

  /**
   * From when a node was asked, the first of several, until the last one had answered, in milliseconds; until the end
   * if it had not. `undefined` if none was asked.
   */
  get nodeTime(): number | undefined {
    return this.#nodeAskedAt === undefined ? undefined : (this.#nodeDoneAt ?? this.#endedAt) - this.#nodeAskedAt;
  }

  /** The sum of all three, in milliseconds. */
  get totalTime(): number {
    return this.headTime + this.#endedAt - this.#beganAt;
  }
}
