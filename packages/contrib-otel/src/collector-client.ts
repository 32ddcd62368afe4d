// The connections to a collector: kept open between batches, bounded in time, and in what the collector may say.

import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

export interface CollectorRequest {
  /** Below the endpoint. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string | Uint8Array;
  /** Until the end of the response, in ms. */
  readonly timeout: number;
}

export class CollectorClient {
  readonly #endpoint: string;
  readonly #agent: HttpAgent;
  readonly #request: typeof requestHttp;

  /** `endpoint`: a URL without a query. */
  constructor(endpoint: string) {
    this.#endpoint = endpoint.replace(/\/$/, "");
    const isSecure = /^https:/i.test(endpoint);
    this.#agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
    this.#request = isSecure ? requestHttps : requestHttp;
  }

  /**
   * Posts a batch; fulfils with the status. Rejects with the error of the connection, or of the time limit. A kept
   * connection may be closed by the collector just then: the batch is sent on a new one.
   */
  async post(request: CollectorRequest): Promise<number> {
    try {
      return await this.#post(request, this.#agent);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      return await this.#post(request, false);
    }
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.#agent.destroy();
  }

  /** `agent`: `false` for a connection of its own, which is not kept; `undefined` would mean the agent of all. */
  #post({ path, headers, content, timeout }: CollectorRequest, agent: HttpAgent | false): Promise<number> {
    return new Promise((resolve, reject) => {
      const sent = this.#request(`${this.#endpoint}${path}`, { method: "POST", headers, agent });
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeout} ms`)), timeout);
      let status: number | undefined;
      let failure: Error | undefined;
      sent.on("response", (response) => {
        status = response.statusCode;
        let size = 0;
        // What it says beside the status is of no use, and may be endless.
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxIgnored) sent.destroy();
        });
        // Once the status is here, the rest may fail.
        response.on("error", () => undefined);
      });
      sent.on("error", (error) => {
        const isStale = sent.reusedSocket && status === undefined && staleCodes.has(codeOf(error));
        failure = isStale ? new StaleConnectionError(error.message) : error;
      });
      sent.on("close", () => {
        clearTimeout(timer);
        if (status !== undefined) resolve(status);
        else reject(failure ?? new Error("the connection was closed"));
      });
      sent.end(content);
    });
  }
}

/** A connection that was kept has ended meanwhile. */
class StaleConnectionError extends Error {}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}

const staleCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

/** In bytes, of a response. */
const maxIgnored = 65_536;
