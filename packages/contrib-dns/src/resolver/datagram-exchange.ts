// One question over UDP: sent to a node of a backend from a socket of its own, whose port is random.

import { BackendFailure, type DatagramUser, type UdpsBackend, type UdpsNodeSession } from "@hemi/internal";
import type { Deadline } from "@hemi/common";
import { readAnswer, type Answer } from "../message/answer.ts";
import type { UpstreamQuery } from "../message/upstream-query.ts";

/** What an exchange needs. */
export interface ExchangeOptions {
  readonly backend: UdpsBackend;
  /** Ids of nodes that are not to be asked. */
  readonly tried: readonly string[];
  /** In milliseconds. */
  readonly timeout: number;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

/** The answer. Rejects with a BackendFailure, whose node is "" if there is none to ask. */
export function askByDatagram(query: UpstreamQuery, options: ExchangeOptions): Promise<Answer> {
  return new Promise((resolve, reject) => new DatagramExchange(query, options, resolve, reject).begin());
}

class DatagramExchange implements DatagramUser {
  readonly #query: UpstreamQuery;
  readonly #timeout: number;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (failure: BackendFailure) => void;
  readonly #deadline: Deadline;
  readonly #session: UdpsNodeSession;
  #node = "";
  /** Datagrams that did not answer the question: somebody guesses. */
  #strays = 0;

  constructor(
    query: UpstreamQuery,
    { backend, tried, timeout, makeDeadline }: ExchangeOptions,
    resolve: (answer: Answer) => void,
    reject: (failure: BackendFailure) => void,
  ) {
    this.#query = query;
    this.#timeout = timeout;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = makeDeadline(() => this.#giveUp("HEMI_TIMEOUT", `it did not answer within ${timeout} ms`));
    this.#session = backend.session({ key: "", stickTo: "", tried }, this);
  }

  begin(): void {
    this.#deadline.set(this.#timeout);
    this.#session.open();
  }

  assigned(node: string): void {
    this.#node = node;
    this.#session.send(this.#query.message);
  }

  answered(datagram: Buffer): void {
    const answer = readAnswer(datagram, this.#query.expected);
    if (answer !== undefined) {
      this.#deadline.clear();
      this.#session.close();
      this.#resolve(answer);
    } else if (++this.#strays >= maxStrays) {
      this.#giveUp("HEMI_BACKEND_BROKEN", `${maxStrays} datagrams did not answer what it was asked`);
    }
  }

  failed(failure: BackendFailure): void {
    this.#deadline.clear();
    this.#reject(failure);
  }

  nodeDown(): void {
    this.#giveUp("HEMI_BACKEND_BROKEN", "it is down");
  }

  #giveUp(code: BackendFailure["code"], reason: string): void {
    this.#deadline.clear();
    this.#session.close();
    this.#reject(new BackendFailure(code, this.#node, reason));
  }
}

/** Not a prop: an honest node sends one answer. */
const maxStrays = 16;
