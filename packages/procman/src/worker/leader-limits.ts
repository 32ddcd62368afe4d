// The rate limits that all workers share, in the memory of the leader. What is asked in one turn of the event loop is
// one message.

import type { RateLimitStore, Strike, StrikeCount, TokenDemand, TokenGrant } from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { LeaderCalls, WorkerCalls } from "../channel/calls.ts";

interface Asked<Params, Result> {
  readonly params: Params;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Collects calls, and passes them on together. */
class Batch<Params, Result> {
  readonly #send: (all: readonly Params[]) => Promise<readonly Result[]>;
  #asked: Asked<Params, Result>[] = [];

  constructor(send: (all: readonly Params[]) => Promise<readonly Result[]>) {
    this.#send = send;
  }

  add(params: Params): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    if (this.#asked.push({ params, resolve, reject }) === 1) setImmediate(() => this.#flush());
    return promise;
  }

  #flush(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (let i = 0; i < asked.length; i += maxAsked) void this.#call(asked.slice(i, i + maxAsked));
  }

  async #call(asked: readonly Asked<Params, Result>[]): Promise<void> {
    try {
      const results = await this.#send(asked.map(({ params }) => params));
      for (const [i, result] of results.entries()) asked[i]?.resolve(result);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}

export class LeaderLimits implements RateLimitStore {
  readonly #demands: Batch<{ readonly key: string; readonly demand: TokenDemand }, TokenGrant>;
  readonly #strikes: Batch<{ readonly key: string; readonly strike: Strike }, StrikeCount>;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>) {
    this.#demands = new Batch((demands) => leader.call("takeTokens", demands));
    this.#strikes = new Batch((strikes) => leader.call("strike", strikes));
  }

  takeTokens(key: string, demand: TokenDemand): Promise<TokenGrant> {
    return this.#demands.add({ key, demand });
  }

  strike(key: string, strike: Strike): Promise<StrikeCount> {
    return this.#strikes.add({ key, strike });
  }
}

/** In one message. */
const maxAsked = 1000;
