// upgradeWebSocket: the WebSocket helper of Hono (https://hono.dev/docs/helpers/websocket) for apps in fetchHandlet.

import type { WebSocket, WebSocketSettings } from "@hemi/internal";
import type { FetchEnv } from "./fetch-handlet.ts";

/** What is used of Hono's Context. */
export interface HonoContext {
  readonly env: FetchEnv;
  readonly req: { readonly url: string };
}

/** A WebSocket as Hono shows it to handlers: its WSContext. */
export interface HonoWebSocket {
  /** The engine's own. */
  readonly raw: WebSocket;
  /** Of the request. */
  readonly url: URL;
  /** The subprotocol that was chosen, "" for none. */
  readonly protocol: string;
  /** 1: open; 3: it is closed, or will be. */
  readonly readyState: 1 | 3;
  /** Whoever is slow is not waited for: `maxUnsentSize` ends that. `raw.send` tells. */
  send(message: string | ArrayBuffer | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** A MessageEvent of the web. */
export interface HonoMessageEvent extends Omit<MessageEvent, "data"> {
  readonly data: string | ArrayBuffer;
}

/**
 * Handlers as Hono has them. What `onOpen` or `onMessage` throws or rejects with closes the WebSocket with 1011;
 * `onError` is not called for it.
 */
export interface HonoWebSocketEvents {
  onOpen?(event: Event, ws: HonoWebSocket): void | Promise<void>;
  /** A promise: the next message waits for it, and so does the client. */
  onMessage?(event: HonoMessageEvent, ws: HonoWebSocket): void | Promise<void>;
  onClose?(event: CloseEvent, ws: HonoWebSocket): void;
}

export interface UpgradeWebSocketOptions {
  /** Its limits, all of them: `{ ...defaultSettings, maxMessageSize: 4096 }`. Default: `defaultSettings`. */
  readonly settings?: WebSocketSettings;
  /** Those that are spoken here, the favourite first. Default: none. */
  readonly subprotocols?: readonly string[];
}

/**
 * Middleware for a route: `app.get("/room", upgradeWebSocket((c) => ({ onMessage(event, ws) { … } })))`. Requests that
 * want no WebSocket go on to the next one. A bad handshake gives 400, a page of another origin 403.
 */
export function upgradeWebSocket<Context extends HonoContext>(
  createEvents: (c: Context) => HonoWebSocketEvents | Promise<HonoWebSocketEvents>,
  options: UpgradeWebSocketOptions = {},
): (c: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  return async function upgradeWebSocket(c, next) {
    const { acceptWebSocket } = c.env;
    if (acceptWebSocket === undefined) {
      await next();
      return undefined;
    }
    const events = await createEvents(c);
    let shown: HonoWebSocket | undefined;
    const show = (ws: WebSocket) => (shown ??= new ShownWebSocket(ws, c.req.url));
    const ws = await acceptWebSocket({
      ...options,
      message: (message, ws) => events.onMessage?.(new MessageEvent("message", { data: dataOf(message) }), show(ws)),
      close: (code, reason, ws) =>
        events.onClose?.(new CloseEvent("close", { code, reason, wasClean: code !== 1006 }), show(ws)),
    });
    try {
      await events.onOpen?.(new Event("open"), show(ws));
    } catch (error) {
      ws.close(1011);
      throw error;
    }
    // Hono wants an answer; fetchHandlet, which has given one, does not look at it.
    return new Response(null);
  };
}

class ShownWebSocket implements HonoWebSocket {
  readonly raw: WebSocket;
  readonly url: URL;
  readonly protocol: string;

  constructor(raw: WebSocket, url: string) {
    this.raw = raw;
    this.url = new URL(url);
    this.protocol = raw.subprotocol;
  }

  get readyState(): 1 | 3 {
    return this.raw.isOpen ? 1 : 3;
  }

  send(message: string | ArrayBuffer | Uint8Array): void {
    void this.raw.send(message instanceof ArrayBuffer ? new Uint8Array(message) : message);
  }

  close(code?: number, reason?: string): void {
    this.raw.close(code, reason);
  }
}

/** A buffer of its own: the message may lie in a larger one. */
function dataOf(message: string | Uint8Array): string | ArrayBuffer {
  return typeof message === "string" ? message : new Uint8Array(message).buffer;
}
