// hrpc over WebSockets: the door of browsers to procedures that stream in both directions.
//
//   GET /hrpc, subprotocol hrpc ──> WebSocket ── binary messages ──> Session ──> calls, as on a socket

import {
  Callee,
  callOver,
  goAwayCodes,
  initialSettings,
  protocolName,
  Session,
  type Flushable,
  type SessionCarrier,
} from "@hemi/common/rpc";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Request } from "../../web/request/request.ts";
import { flushAtEndOfTurn } from "../../net/end-of-turn.ts";
import type { Response } from "../../web/response/response.ts";
import { loadUpgrades, type Upgrade } from "../../web/websocket/upgrade.ts";
import { defaultSettings } from "../../web/websocket/websocket-props.ts";
import type { WebSocket } from "../../web/websocket/websocket.ts";
import { TokenBucket } from "../../http2/allowance.ts";
import { Identity } from "../identity.ts";
import type { HrpcOrigin } from "./hrpc-origin.ts";
import type { HrpcHost } from "./hrpc-host.ts";
import { maxFrameSize } from "./hrpc-conn.ts";
import { hrpcDefaults } from "./hrpc-props.ts";
import { sessionCompression } from "./session-compression.ts";

/** Accepts WebSockets for a host. */
export class WebSocketSessions {
  readonly #host: HrpcHost;
  readonly #makeUpgrade: (req: Request, resp: Response) => Upgrade;

  private constructor(host: HrpcHost, makeUpgrade: (req: Request, resp: Response) => Upgrade) {
    this.#host = host;
    this.#makeUpgrade = makeUpgrade;
  }

  static async load(host: HrpcHost, log: ErrorLog): Promise<WebSocketSessions> {
    return new WebSocketSessions(host, await loadUpgrades(log));
  }

  /** Takes the request if it asks for a WebSocket. Throws HTTPError for a handshake that is refused. */
  handle(req: Request, resp: Response): boolean {
    if (!req.upgrades.includes("websocket")) return false;
    const host = this.#host;
    const { settings } = host;
    const session = (ws: WebSocket): Session => {
      const carrier = new WebSocketCarrier(ws);
      const origin: HrpcOrigin = {
        peer: req.peer,
        identity: new Identity(req, req.tls),
        caller: { call: (call) => callOver(own, call, settings.maxMessageSize) },
      };
      const own: Session = new Session({
        role: "server",
        carrier,
        settings: { maxStreams: hrpcDefaults.maxStreams, credit: initialSettings.credit, maxFrameSize },
        compression: sessionCompression(settings),
        callee: new Callee({
          serve: (stream) => host.serveStream(stream, origin),
          maxMessageSize: (path) => host.maxMessageSizeOf(path),
          flood: new TokenBucket(hrpcDefaults.maxIdleFrames, hrpcDefaults.floodRecovery, () => performance.now()),
        }),
        faulty: (fault) => host.log.info(`hrpc over a WebSocket of ${req.srcHost}: ${fault.message}`),
        failed: (error) => host.noteFault(error, req),
      });
      return own;
    };
    let open: Session | undefined;
    const upgrade = this.#makeUpgrade(req, resp);
    const ws = upgrade.accept({
      subprotocols: [protocolName],
      settings: { ...defaultSettings, maxMessageSize: maxWebSocketMessage, origins: settings.webSocketOrigins },
      message(message) {
        if (typeof message === "string") open?.close(goAwayCodes.protocol, "hrpc has no text messages");
        else open?.receive(message);
      },
      close: () => open?.broken("the WebSocket is closed"),
    });
    if (ws.subprotocol === protocolName) open = session(ws);
    else ws.close(1002, `the subprotocol is ${protocolName}`);
    return true;
  }
}

class WebSocketCarrier implements SessionCarrier {
  readonly #ws: WebSocket;
  /** Settles when the client has read; `undefined` while it is fast enough. */
  #unblocked: Promise<void> | undefined;

  constructor(ws: WebSocket) {
    this.#ws = ws;
  }

  get isBlocked(): boolean {
    return this.#unblocked !== undefined;
  }

  flushSoon(output: Flushable): void {
    flushAtEndOfTurn(output);
  }

  /** `ws` may write them later: they are not given back. */
  write(bytes: Uint8Array): void {
    const sent = this.#ws.send(bytes);
    if (sent === undefined || this.#unblocked !== undefined) return;
    const done = (): void => void (this.#unblocked = undefined);
    this.#unblocked = sent.then(done, done);
  }

  drained(): Promise<void> {
    return this.#unblocked ?? Promise.resolve();
  }

  close(): void {
    this.#ws.close(1000);
  }
}

/** In bytes: a client may send several frames in one message, but need not. */
const maxWebSocketMessage = 1024 * 1024;
