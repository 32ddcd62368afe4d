// The name servers that are asked: over UDP first, over TCP for answers that are too long for that.

import { Deadlines } from "@hemi/common";
import { BackendFailure, type TcpsBackend, type UdpsBackend } from "@hemi/internal";
import type { Answer } from "../message/answer.ts";
import { rcodes } from "../message/codes.ts";
import { upstreamQuery, type QuestionTerms } from "../message/upstream-query.ts";
import { askByDatagram } from "./datagram-exchange.ts";
import { StreamExchange } from "./stream-exchange.ts";

/** Read at each use, because live props change it. */
export interface NameServerSettings {
  readonly forwardTo: { readonly current: UdpsBackend } | undefined;
  readonly forwardOverTcp: { readonly current: TcpsBackend } | undefined;
  /** In milliseconds, for one try. */
  readonly queryTimeout: number;
  readonly maxTries: number;
}

export class NameServers {
  readonly #settings: NameServerSettings;
  readonly #deadlines: Deadlines;
  readonly #stream: StreamExchange;

  constructor(settings: NameServerSettings, failed: (error: unknown) => void) {
    this.#settings = settings;
    this.#deadlines = new Deadlines({ resolution: 50, failed });
    this.#stream = new StreamExchange(this.makeDeadline);
  }

  readonly makeDeadline = (onExpired: () => void) => this.#deadlines.add(onExpired);

  get isThere(): boolean {
    return (this.#settings.forwardTo ?? this.#settings.forwardOverTcp) !== undefined;
  }

  /**
   * Asks one node after another, until one answers with something else than a failure of its own. Rejects with a
   * BackendFailure if none does.
   */
  async ask(question: Buffer, terms: QuestionTerms): Promise<Answer> {
    const { forwardTo, forwardOverTcp, maxTries } = this.#settings;
    const tried: string[] = [];
    for (let tries = 1; ; tries++) {
      try {
        const answer = await this.#askOnce(question, terms, tried);
        // A server that cannot, or may not, is not the last word if there is another one.
        if (!isFailure(answer) || tries >= maxTries) return answer;
      } catch (error) {
        if (!(error instanceof BackendFailure) || tries >= maxTries) throw error;
        if (error.node !== "") tried.push(error.node);
        const backend = forwardTo ?? forwardOverTcp;
        if (backend?.current.whyNoRetry(tried) === undefined) continue;
        // No other one: the datagram may have been lost.
        if (error.code !== "HEMI_TIMEOUT") throw error;
        tried.pop();
      }
    }
  }

  async #askOnce(question: Buffer, terms: QuestionTerms, tried: readonly string[]): Promise<Answer> {
    const { forwardTo, forwardOverTcp, queryTimeout: timeout } = this.#settings;
    const byStream = (): Promise<Answer> => {
      if (forwardOverTcp === undefined)
        throw new BackendFailure("HEMI_BACKEND_BUSY", "", "there is no name server to ask");
      return this.#stream.ask(upstreamQuery(question, terms), forwardOverTcp.current, timeout);
    };
    if (forwardTo === undefined) return await byStream();
    const { makeDeadline } = this;
    const options = { backend: forwardTo.current, tried: [...tried], timeout, makeDeadline };
    const answer = await askByDatagram(upstreamQuery(question, terms), options);
    return answer.isTruncated && forwardOverTcp !== undefined ? await byStream() : answer;
  }

  /** Closes the connection that is kept for further questions. */
  finish(): void {
    this.#stream.close();
  }

  close(): void {
    this.finish();
    this.#deadlines.close();
  }
}

/** The server could not find out, or does not want to. */
export function isFailure({ rcode }: Answer): boolean {
  return rcode === rcodes.serverFailure || rcode === rcodes.refused || rcode === rcodes.notImplemented;
}
