// Questions over TCP or TLS to a node of a backend: many on one connection, answered in any order (RFC 7766 6.2).

import { BackendFailure, type DialUser, type Link, type LinkUser, type TcpsBackend } from "@hemi/internal";
import type { Deadline } from "@hemi/common";
import { readAnswer, type Answer } from "../message/answer.ts";
import { framed, FrameReader } from "../message/frames.ts";
import type { UpstreamQuery } from "../message/upstream-query.ts";

interface Waiting {
  readonly query: UpstreamQuery;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (failure: BackendFailure) => void;
  readonly deadline: Deadline;
}

/** The connection to the backend: made when there is a question, and closed when there has been none for a while. */
export class StreamExchange {
  readonly #makeDeadline: (onExpired: () => void) => Deadline;
  #conn: StreamConn | undefined;

  constructor(makeDeadline: (onExpired: () => void) => Deadline) {
    this.#makeDeadline = makeDeadline;
  }

  /** The answer. Rejects with a BackendFailure. */
  ask(query: UpstreamQuery, backend: TcpsBackend, timeout: number): Promise<Answer> {
    if (this.#conn?.isUsable(query.expected.id, backend) !== true) {
      this.#conn?.finish();
      this.#conn = new StreamConn(backend, this.#makeDeadline);
    }
    return this.#conn.ask(query, timeout);
  }

  close(): void {
    this.#conn?.close("the stage shuts down");
  }
}

class StreamConn implements DialUser, LinkUser {
  readonly #backend: TcpsBackend;
  readonly #makeDeadline: (onExpired: () => void) => Deadline;
  readonly #waiting = new Map<number, Waiting>();
  readonly #idle: Deadline;
  readonly #dialling: { cancel(): void };
  readonly #frames = new FrameReader((message) => this.#answered(message));
  #link: Link | undefined;
  #node = "";
  #isFinishing = false;
  #isOver = false;

  constructor(backend: TcpsBackend, makeDeadline: (onExpired: () => void) => Deadline) {
    this.#backend = backend;
    this.#makeDeadline = makeDeadline;
    this.#idle = makeDeadline(() => this.close("it was idle"));
    const nobody = { address: "", port: 0 };
    const about = { serverName: "", nextProto: "", tls: undefined };
    this.#dialling = backend.dial({ key: "", stickTo: "", tried: [], from: nobody, to: nobody, about }, this);
  }

  isUsable(id: number, backend: TcpsBackend): boolean {
    return !this.#isOver && backend === this.#backend && !this.#waiting.has(id) && this.#waiting.size < maxWaiting;
  }

  ask(query: UpstreamQuery, timeout: number): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { id } = query.expected;
    const deadline = this.#makeDeadline(() => {
      this.#settle(id);
      reject(new BackendFailure("HEMI_TIMEOUT", this.#node, `it did not answer within ${timeout} ms`));
    });
    if (this.#isOver) return Promise.reject(new BackendFailure("HEMI_BACKEND_DIAL", this.#node, "it was closed"));
    deadline.set(timeout);
    this.#waiting.set(id, { query, resolve, reject, deadline });
    this.#idle.clear();
    this.#link?.write(framed(query.message), false);
    return promise;
  }

  /** No more questions come: closes when all are answered. */
  finish(): void {
    this.#isFinishing = true;
    if (this.#waiting.size === 0) this.close("it is replaced");
  }

  connected(link: Link, node: string): void {
    this.#link = link;
    this.#node = node;
    link.use(this);
    link.hold(false);
    for (const { query } of this.#waiting.values()) link.write(framed(query.message), false);
  }

  failed(failure: BackendFailure): void {
    this.#end(failure);
  }

  nodeDown(): void {
    this.close("it is down");
  }

  received(bytes: Buffer): void {
    this.#frames.add(bytes);
  }

  ended(): void {
    this.close("it closed the connection");
  }

  drained(): void {}

  closed(): void {
    this.close("it closed the connection");
  }

  close(reason: string): void {
    this.#end(new BackendFailure("HEMI_BACKEND_BROKEN", this.#node, reason));
    this.#dialling.cancel();
  }

  #answered(message: Buffer): void {
    const waiting = message.length >= 2 ? this.#waiting.get(message.readUInt16BE(0)) : undefined;
    const answer = waiting && readAnswer(message, waiting.query.expected);
    if (waiting === undefined || answer === undefined) return;
    waiting.deadline.clear();
    waiting.resolve(answer);
    this.#settle(waiting.query.expected.id);
  }

  #settle(id: number): void {
    this.#waiting.delete(id);
    if (this.#waiting.size > 0 || this.#isOver) return;
    if (this.#isFinishing) this.close("it is replaced");
    else this.#idle.set(idleTime);
  }

  #end(failure: BackendFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#idle.clear();
    for (const { reject, deadline } of this.#waiting.values()) {
      deadline.clear();
      reject(failure);
    }
    this.#waiting.clear();
  }
}

/** Not a prop: questions beyond that get another connection. */
const maxWaiting = 1000;
/** In milliseconds. Not a prop: servers close idle connections after some seconds, too. */
const idleTime = 5000;
