// Datagrams to and from the nodes of a udpsBackend: a socket for each session, which takes datagrams of its node only.

import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { guarded } from "@hemi/common";
import type { Backend } from "../../backend/backend.ts";
import { BackendFailure } from "../../backend/failure.ts";
import type { Node, NodePool } from "../../backend/node.ts";
import type { Waiter } from "../../backend/node-group.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import { maxSendQueue, numericOnly } from "../../net/datagram-sockets.ts";

/**
 * Learns what comes of a session with a node. What a method throws, or its promise rejects with, is logged, and ends
 * the session.
 */
export interface DatagramUser {
  /** There is a node: `send` may be called. */
  assigned(node: string): void | Promise<void>;
  /** A datagram of the node. The bytes may be kept. */
  answered(datagram: Buffer): void | Promise<void>;
  /** No node could be used, or this one cannot be reached. Nothing is called after that. */
  failed(failure: BackendFailure): void | Promise<void>;
  /** The node is down by its health checks. */
  nodeDown(): void | Promise<void>;
}

/** The sessions with one node. */
export class NodeSessions implements NodePool {
  readonly #sessions = new Set<NodeSession>();

  add(session: NodeSession): void {
    this.#sessions.add(session);
  }

  delete(session: NodeSession): void {
    this.#sessions.delete(session);
  }

  /** Nothing is kept idle. */
  close(): void {}

  nodeDown(): void {
    for (const session of [...this.#sessions]) session.nodeDown();
  }

  destroy(): void {
    for (const session of [...this.#sessions]) session.close();
  }
}

/** One session: from the wait for a node to its end. */
export class NodeSession implements Waiter<NodeSessions> {
  readonly wish: SelectionHint;
  readonly user: DatagramUser;
  readonly #owner: Backend<NodeSessions>;
  #node: Node<NodeSessions> | undefined;
  #socket: Socket | undefined;
  #hasAnswered = false;
  #isOver = false;

  constructor(wish: SelectionHint, user: DatagramUser, owner: Backend<NodeSessions>) {
    this.wish = wish;
    this.user = user;
    this.#owner = owner;
  }

  /** Looks for a node. */
  open(): void {
    this.#owner.enter(this);
  }

  entered(node: Node<NodeSessions>): void {
    if (this.#isOver) return this.#owner.leave(node, "unknown");
    const { address } = node.spec;
    // `check` of the backend has refused it.
    if ("path" in address) return this.#owner.leave(node, "unknown");
    this.#node = node;
    node.pool.add(this);
    const socket = createSocket({ type: isIPv6(address.host) ? "udp6" : "udp4", lookup: numericOnly });
    this.#socket = socket;
    socket.on("message", (bytes) => this.#answered(bytes));
    socket.on("error", (error) => this.#failed(error));
    // With a lookup that answers at once, it is connected when this returns, or emits an error soon.
    socket.connect(address.port, address.host);
    this.#tell(() => this.user.assigned(node.id));
  }

  refused(failure: BackendFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell(() => this.user.failed(failure));
  }

  /** What the system cannot take at once is lost. */
  send(datagram: Buffer): void {
    const socket = this.#socket;
    if (socket === undefined || this.#isOver || socket.getSendQueueSize() >= maxSendQueue) return;
    try {
      socket.send(datagram);
    } catch (error) {
      // Not connected: there is no free descriptor, or no route to the node.
      this.#failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Nobody wants it any more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#node === undefined) this.#owner.forget(this);
    else this.#leave(this.#node, this.#hasAnswered ? undefined : "unknown");
  }

  /** For its node. */
  nodeDown(): void {
    this.#tell(() => this.user.nodeDown());
  }

  #tell(what: () => unknown): void {
    guarded(what, (error) => {
      this.#owner.failed(this.#node?.id ?? "", error);
      this.close();
    });
  }

  #answered(bytes: Buffer): void {
    if (this.#isOver || this.#node === undefined) return;
    if (!this.#hasAnswered) this.#owner.judge(this.#node, "good");
    this.#hasAnswered = true;
    this.#tell(() => this.user.answered(bytes));
  }

  #failed({ message }: Error): void {
    if (this.#isOver || this.#node === undefined) return;
    this.#isOver = true;
    const failure = new BackendFailure("HEMI_BACKEND_DIAL", this.#node.id, message);
    this.#leave(this.#node, { failure: failure.message });
    this.#tell(() => this.user.failed(failure));
  }

  #leave(node: Node<NodeSessions>, outcome: "unknown" | { readonly failure: string } | undefined): void {
    node.pool.delete(this);
    this.#socket?.close();
    if (outcome !== undefined) this.#owner.judge(node, outcome);
    this.#owner.depart(node);
  }
}
