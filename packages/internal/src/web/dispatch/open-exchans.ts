// The running exchans of a server that did not finish synchronously: a reload waits for them before it shuts down the
// components that they use.

import { SeatedRoster, whileRunning, type Seated } from "@hemi/common";
import type { EndingWork } from "../../component/part.ts";
import type { ExchanWire } from "../../http/exchan.ts";
import type { WebappPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { Upgrader } from "./upgrader.ts";

/** One of them. */
export interface OpenExchan extends Seated {
  readonly webapp: WebappPart;
  readonly req: Request;
  readonly resp: Response;
}

/** Whoever is told that an answer, or the rest of it, did not come within `handleTimeout`. */
export interface LateListener {
  noteLate(req: Request, resp: Response): void;
}

/** Outlives dispatchers: a reload makes a new dispatcher, while exchans of the previous one continue. */
export class OpenExchans {
  readonly #open = new SeatedRoster<OpenExchan>();
  /** The waits for some of them. */
  readonly #waiting = new Set<Settlement>();

  /** Call it when a webapp has returned and the response is not complete. */
  add(webapp: WebappPart, req: Request, resp: Response, wire: ExchanWire, listener: LateListener): void {
    const exchan: OpenExchan = { place: -1, webapp, req, resp };
    this.#open.add(exchan);
    wire.onEnd((_status, _contentSent, reason) => {
      if (reason === "handleTimeout") listener.noteLate(req, resp);
      this.#open.delete(exchan);
      for (const settlement of this.#waiting) settlement.ended(exchan);
    });
  }

  /** That of the request with this id. */
  find(requestId: string): OpenExchan | undefined {
    for (const exchan of this.#open) if (exchan.req.id === requestId) return exchan;
    return undefined;
  }

  /** Those that `settle` would wait for, counted by their webapps. */
  count(dropped: ReadonlySet<object>, users: ReadonlySet<object>): ReadonlyMap<object, EndingWork> {
    const workers = new Set([...dropped, ...users]);
    const counts = new Map<object, { requests: number; webSockets: number; tunnels: number }>();
    for (const exchan of this.#open) {
      if (!concerns(exchan, dropped, workers)) continue;
      const { webapp, resp } = exchan;
      const count = counts.get(webapp) ?? { requests: 0, webSockets: 0, tunnels: 0 };
      counts.set(webapp, count);
      if (resp.lasting === undefined) count.requests++;
      else if (resp.lasting === "webSocket") count.webSockets++;
      else count.tunnels++;
    }
    return counts;
  }

  /** Asks all to come to their end. */
  leave(): void {
    for (const { resp } of this.#open) resp.leave();
  }

  /**
   * Settles when those have ended that are open now and in which one of `dropped`, parts of components, has a share; or
   * one of `users`, which live on but have begun with a dropped one, such as a proxy with its backend. At `deadline`,
   * in milliseconds since the epoch, they are broken off. Before that they are asked to come to their end, one after
   * the other, so that their clients do not all come back at once.
   */
  async settle(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object> = new Set()): Promise<void> {
    const workers = new Set([...dropped, ...users]);
    const concerned = [...this.#open].filter((exchan) => concerns(exchan, dropped, workers));
    if (concerned.length === 0) return;
    const settlement = new Settlement(concerned, deadline - Date.now());
    this.#waiting.add(settlement);
    try {
      await settlement.done;
    } finally {
      settlement.close();
      this.#waiting.delete(settlement);
    }
  }
}

class Settlement {
  readonly #left: Set<OpenExchan>;
  /** Those that are to be asked to come to their end, and after which share of the time; the first one is the last. */
  readonly #unasked: { readonly exchan: OpenExchan; readonly share: number }[];
  readonly #done = Promise.withResolvers<void>();
  readonly #time: number;
  /** Ends the wait. */
  readonly close: () => void;

  /** `time`: until they are broken off, in milliseconds in which the process runs. */
  constructor(exchans: readonly OpenExchan[], time: number) {
    this.#left = new Set(exchans);
    this.#time = time;
    this.#unasked = exchans
      // What is short ends before; at the end, there is time for a goodbye.
      .map((exchan) => ({ exchan, share: 0.25 + 0.5 * Math.random() }))
      .sort((a, b) => b.share - a.share);
    this.close = whileRunning(time, slices, (ran) => this.#ran(ran));
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  ended(exchan: OpenExchan): void {
    if (this.#left.delete(exchan) && this.#left.size === 0) this.#done.resolve();
  }

  #ran(time: number): void {
    if (time >= this.#time) return this.#breakOff();
    for (let next = this.#unasked.at(-1); next !== undefined && next.share * this.#time <= time;) {
      this.#unasked.pop();
      if (this.#left.has(next.exchan)) next.exchan.resp.leave();
      next = this.#unasked.at(-1);
    }
  }

  #breakOff(): void {
    for (const { resp } of this.#left) resp.abort();
    this.#done.resolve();
  }
}

/** Of the time of a settlement: those of a slice are asked together to come to their end. */
const slices = 256;

/**
 * Whether one of the parts works for an exchan, or may yet do. `workers`: the dropped ones, and those that do their
 * work with them. A rule or webapp that only refers to a dropped one does not: it has given the exchan to whom it
 * referred to.
 */
function concerns(
  { webapp, req, resp }: OpenExchan,
  dropped: ReadonlySet<object>,
  workers: ReadonlySet<object>,
): boolean {
  const { rule } = resp;
  const { handlet, handlets = [] } = req;
  if (dropped.has(webapp) || (rule !== undefined && dropped.has(rule)) || resp.isHookedByOneOf(workers)) return true;
  if (resp.isHeadSent) return handlet !== undefined && workers.has(workerOf(handlet.part));
  // The current handlet may leave the request to later ones.
  return (
    handlets.some(({ part }) => workers.has(workerOf(part))) || [...dropped].some((part) => isRuleOf(webapp, part))
  );
}

function workerOf(part: object): object {
  return part instanceof Upgrader ? part.socklet : part;
}

/** An exchan keeps the rules that its webapp had when it began. */
function isRuleOf(webapp: WebappPart, part: object): boolean {
  return "matches" in part && "webapp" in part && part.webapp === webapp;
}
