// An upgrade request that a socklet may accept.

import type { Duplex } from "node:stream";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { loadedFrames, loadFrames } from "./frames.ts";
import { shakeHands } from "./handshake.ts";
import { defaultSettings, type WebSocketSettings } from "./websocket-props.ts";
import { WebSocket, type WebSocketEvents } from "./websocket.ts";

/** Options for accepting a WebSocket. */
export interface AcceptOptions extends WebSocketEvents {
  /** The limits: the props of a socklet that includes `webSocketProps`. Default: the defaults of these props. */
  readonly settings?: WebSocketSettings;
  /** The supported subprotocols, in the order of preference. Default: none. */
  readonly subprotocols?: readonly string[];
}

/**
 * For handlets that serve WebSockets in their own way: makes upgrades from upgrade requests. `log` carries the path of
 * the handlet.
 */
export async function loadUpgrades(log: ErrorLog): Promise<(req: Request, resp: Response) => Upgrade> {
  await loadFrames();
  return (req, resp) => new Upgrade(req, resp, log);
}

/** A client's upgrade request: accept it as a WebSocket, take it as a tunnel, or leave it. */
export class Upgrade {
  /** The upgrade request. */
  readonly req: Request;
  /** An alternative response, for socklets that need more than an HTTPError. */
  readonly resp: Response;
  readonly #log: ErrorLog;

  /** `log` carries the path of the socklet. */
  constructor(req: Request, resp: Response, log: ErrorLog) {
    this.req = req;
    this.resp = resp;
    this.#log = log;
  }

  /** Whether the client requests a WebSocket. */
  get isWebSocket(): boolean {
    return this.req.upgrades.includes("websocket");
  }

  /** Adds a field to the response, such as a cookie. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  addHeader(name: string, value: string | number): void {
    this.resp.addHeader(name, value);
  }

  /**
   * Opens a WebSocket; it is closed with 1001 when the server drains. Throws HTTPError, which leads to its response:
   * 400 for a request that is not a valid WebSocket handshake, 403 for pages of other origins.
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

  /**
   * Returns a paused stream for the bytes of both directions, for one of the protocols in `req.upgrades`. The caller is
   * responsible for all limits; `drained` as in `Response.tunnel`.
   */
  tunnel(protocol: string, drained: () => void): Duplex {
    return this.resp.tunnel(protocol, drained);
  }
}
