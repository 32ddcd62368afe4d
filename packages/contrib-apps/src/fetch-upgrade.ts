// The WebSocket that a client of a fetch app asks for.
//
// The web has no form for it: a Response cannot be a 101, and each runtime has a call of its own beside the answer
// (Deno.upgradeWebSocket, server.upgrade of Bun, WebSocketPair of Cloudflare). Here it is one in the second argument of
// `fetch`.

import {
  type AcceptOptions,
  type ErrorLog,
  HTTPError,
  loadUpgrades,
  type Request as HemiRequest,
  type Response as HemiResponse,
  type WebSocket,
} from "@hemi/internal";

/** Opens the WebSocket. Throws HTTPError: see `accept` of upgrades. What the app answers after it is not looked at. */
export type AcceptWebSocket = (options: AcceptOptions) => Promise<WebSocket>;

export class FetchUpgrade {
  readonly #req: HemiRequest;
  readonly #resp: HemiResponse;
  readonly #log: ErrorLog;
  #isAccepted = false;

  constructor(req: HemiRequest, resp: HemiResponse, log: ErrorLog) {
    this.#req = req;
    this.#resp = resp;
    this.#log = log;
  }

  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  readonly accept: AcceptWebSocket = async (options) => {
    const upgradeOf = await loadUpgrades(this.#log);
    try {
      const ws = upgradeOf(this.#req, this.#resp).accept(options);
      this.#isAccepted = true;
      return ws;
    } catch (error) {
      throw error instanceof HTTPError ? new HandshakeFailure(error) : error;
    }
  };
}

/** Uncaught, it gives its status; Hono, which catches all, calls `getResponse`. */
class HandshakeFailure extends HTTPError {
  constructor(cause: HTTPError) {
    super(cause.status, cause.message, { cause, fields: cause.fields });
    this.name = "HandshakeFailure";
  }

  getResponse(): Response {
    return new Response(null, { status: this.status, headers: this.fields });
  }
}
