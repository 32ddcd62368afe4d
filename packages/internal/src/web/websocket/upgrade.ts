// An upgrade that is not yet accepted: what a socklet gets.

import type { Duplex } from "node:stream";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { loadedFrames, loadFrames } from "./frames.ts";
import { shakeHands } from "./handshake.ts";
import { defaultSettings, type WebSocketSettings } from "./websocket-props.ts";
import { WebSocket, type WebSocketEvents } from "./websocket.ts";

/** How a WebSocket is accepted. */
export interface AcceptOptions extends WebSocketEvents {
  /** Its limits: the props of a socklet that has `webSocketProps` among its own. Default: the defaults of these. */
  readonly settings?: WebSocketSettings;
  /** Those that are spoken here, the favourite first. Default: none. */
  readonly subprotocols?: readonly string[];
}

/**
 * For handlets that serve WebSockets in a form of their own: makes upgrades of requests that want to leave HTTP. `log` carries the path of who gets
 * them.
 */
export async function loadUpgrades(log: ErrorLog): Promise<(req: Request, resp: Response) => Upgrade> {
  await loadFrames();
  return (req, resp) => new Upgrade(req, resp, log);
}

/** A client's wish to leave HTTP, not yet granted: accept it as a WebSocket, take a tunnel, or leave it alone. */
export class Upgrade {
  /** The request that asks for it. */
  readonly req: Request;
  /** What the client is answered instead: for socklets that have more to say to it than an HTTPError can. */
  readonly resp: Response;
  readonly #log: ErrorLog;

  /** `log` carries the path of who gets it. */
  constructor(req: Request, resp: Response, log: ErrorLog) {
    this.req = req;
    this.resp = resp;
    this.#log = log;
  }

  /** Does the client want a WebSocket? */
  get isWebSocket(): boolean {
    return this.req.upgrades.includes("websocket");
  }

  /** A field of the answer, such as a cookie. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  addHeader(name: string, value: string | number): void {
    this.resp.addHeader(name, value);
  }

  /**
   * Opens a WebSocket; it is closed with 1001 when the server drains. Throws HTTPError, which answers by itself: 400 for what is no WebSocket, 403 for
   * pages of other origins.
   */
  accept(options: AcceptOptions): WebSocket {
    const { settings = defaultSettings, subprotocols = [] } = options;
    const frames = loadedFrames();
    const log = this.#log;
    const { req } = this;
    const { fields, subprotocol, extensions } = shakeHands(req, { frames, settings, subprotocols });
    for (const [name, value] of fields) this.resp.addHeader(name, value);
    const stream = this.resp.tunnel("websocket", () => ws.close(1001, "the server goes away"));
    const details = { requestId: req.id };
    const ws: WebSocket = new WebSocket(
      {
        stream,
        subprotocol,
        extensions,
        frames,
        settings,
        failed: (error) => log.error(`failed at a WebSocket of ${req.uri}`, { error, ...details }),
        note: (reason) => log.info(`WebSocket of ${req.srcHost} at ${req.uri}: ${reason}`, details),
      },
      options,
    );
    return ws;
  }

  /** Hands out the bytes of both directions, paused, for one of the protocols of `req.upgrades`. All its limits are the caller's; `drained` as of `Response.tunnel`. */
  tunnel(protocol: string, drained: () => void): Duplex {
    return this.resp.tunnel(protocol, drained);
  }
}
