// One upgrade as an app of Node.js sees it: the three arguments of `upgrade`. Loads node:http.

import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { ErrorLog, Request as HemiRequest, Response as HemiResponse } from "@hemi/internal";
import type { ContentFailure } from "./content-failure.ts";
import type { ContentOwner } from "./node-content.ts";
import { NodeRequest } from "./node-request.ts";
import type { SocketOwner } from "./node-socket.ts";
import { UpgradeSocket } from "./upgrade-socket.ts";

export class NodeUpgrade implements ContentOwner, SocketOwner {
  readonly socket: UpgradeSocket;
  readonly request: NodeRequest;
  readonly #req: HemiRequest;
  readonly #resp: HemiResponse;
  readonly #log: ErrorLog;
  #isOver = false;

  /** `uri` is what the app is asked for. */
  constructor(req: HemiRequest, resp: HemiResponse, uri: string, log: ErrorLog) {
    this.#req = req;
    this.#resp = resp;
    this.#log = log;
    this.socket = new UpgradeSocket(req, resp, this);
    // Without a listener, Node.js would end the process.
    this.socket.on("error", (error) => this.#noteError(error));
    this.request = new NodeRequest(req, uri, this.socket, this);
    if (req.version !== "1.1") addHandshake(this.request, req.upgrades);
    req.onAbort(() => this.socket.destroy());
  }

  /** The app failed before it answered: what it writes from now on goes nowhere. */
  leave(): void {
    this.#isOver = true;
    this.socket.destroy();
  }

  breakOff(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#resp.isDone) this.#resp.abort();
    this.request.destroy();
  }

  timedOut(): void {
    if (!this.socket.emit("timeout")) this.socket.destroy();
  }

  /** What the app threw where nobody but the event loop would have caught it. */
  fail(error: unknown): void {
    if (this.#isOver || this.#resp.isHeadSent) {
      this.#noteError(error);
      this.socket.destroy();
      return;
    }
    this.leave();
    this.#resp.fail(error);
  }

  leaveToApp(failure: ContentFailure): void {
    this.#noteError(failure);
  }

  #noteError(error: unknown): void {
    this.#log.error(`failed at an upgrade of ${this.#req.uri}`, { error, requestId: this.#req.id });
  }
}

/**
 * What HTTP/1 has in a handshake, and HTTP/2 says otherwise: apps look for it. The key is of our own making, and
 * nobody's answer to it is passed on.
 */
function addHandshake(request: IncomingMessage, upgrades: readonly string[]): void {
  const added = {
    connection: "Upgrade",
    upgrade: upgrades.join(", "),
    "sec-websocket-key": randomBytes(16).toString("base64"),
  };
  for (const [name, value] of Object.entries(added)) {
    request.headers[name] = value;
    request.rawHeaders.push(name, value);
  }
}
