// One exchan as a (req, res) app sees it: request, response and the socket that they share. Loads node:http.

import type { ErrorLog, Request as HemiRequest, Response as HemiResponse } from "@hemi/internal";
import { clientAborted } from "./node-errors.ts";
import type { ContentFailure } from "./content-failure.ts";
import type { ContentOwner } from "./node-content.ts";
import { dumpRequest, NodeRequest } from "./node-request.ts";
import { NodeResponse, type ResponseOwner } from "./node-response.ts";
import { NodeSocket, type SocketOwner } from "./node-socket.ts";

export class NodeExchan implements ContentOwner, ResponseOwner, SocketOwner {
  readonly socket: NodeSocket;
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly #req: HemiRequest;
  readonly #resp: HemiResponse;
  readonly #log: ErrorLog;
  #isOver = false;
  #closed: (() => void) | undefined;
  /** Runs while the app may answer for content that failed. */
  #untilAnswered: NodeJS.Timeout | undefined;

  /** `uri` is what the app is asked for. */
  constructor(req: HemiRequest, resp: HemiResponse, uri: string, log: ErrorLog) {
    this.#req = req;
    this.#resp = resp;
    this.#log = log;
    this.socket = NodeSocket.take(req, this);
    this.request = new NodeRequest(req, uri, this.socket, this);
    this.response = new NodeResponse(this.request, req.method, resp, this);
    req.onAbort(() => this.breakOff());
  }

  /** Calls back once "close" of the response was emitted. */
  onClose(listener: () => void): void {
    this.#closed = listener;
  }

  /** The app left the exchan to others, or failed before it sent anything: what it writes from now on goes nowhere. */
  leave(): void {
    if (this.#isOver || this.#resp.isHeadSent) return;
    this.#isOver = true;
    NodeResponse.giveUp(this.response);
  }

  /** Its content can no longer be left to others, and nothing was sent. */
  get hasReadContent(): boolean {
    return this.#req.isContentRead && !this.#resp.isHeadSent;
  }

  // ---- what its parts ask for ----

  /** The app destroyed one of the three, or the client has left: all three end. */
  breakOff(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#resp.isDone) this.#resp.abort();
    this.socket.destroy();
    this.request.destroy(clientAborted());
    NodeResponse.giveUp(this.response);
  }

  /**
   * What the app threw where nobody but the event loop would have caught it: it becomes of the exchan what would if the
   * app had thrown it at once.
   */
  fail(error: unknown): void {
    if (this.#isOver) return this.noteError(error);
    this.leave();
    this.#resp.fail(error);
  }

  leaveToApp(failure: ContentFailure): void {
    this.#log.info(`${this.#req.method} ${this.#req.uri}: ${failure.message}`, { requestId: this.#req.id });
    // Many listen for errors to log them, and answer nothing.
    this.#untilAnswered = setTimeout(() => {
      if (!this.#isOver && !this.#resp.isHeadSent) this.fail(failure);
    }, timeToAnswerFailure).unref();
  }

  progressed(): void {
    this.socket.refreshTimeout();
  }

  finished(): void {
    this.#isOver = true;
    dumpRequest(this.request);
  }

  closed(): void {
    clearTimeout(this.#untilAnswered);
    this.socket.retire();
    this.#closed?.();
  }

  timedOut(): void {
    const { request, response, socket } = this;
    const isHeard = [!request.complete && request.emit("timeout", socket), response.emit("timeout", socket)];
    if (!isHeard.includes(true)) socket.destroy();
  }

  noteError(error: unknown): void {
    this.#log.error(`failed at ${this.#req.method} ${this.#req.uri}`, { error, requestId: this.#req.id });
  }
}

/** In ms: an app that hears of content that failed has this long to begin its own answer. */
const timeToAnswerFailure = 1000;
