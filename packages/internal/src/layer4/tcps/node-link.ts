// Connections to the nodes of a tcpsBackend.

import { connect, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTLS, type ConnectionOptions } from "node:tls";
import { guarded, SeatedRoster, type Deadline } from "@hemi/common";
import type { NodeOwner } from "../../backend/backend.ts";
import { dialNode } from "../../backend/dial.ts";
import { BackendFailure } from "../../backend/failure.ts";
import type { Node, NodePool, NodeSpec } from "../../backend/node.ts";
import type { Waiter } from "../../backend/node-group.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import { BareConn } from "../../net/bare-conn.ts";
import { Link, type LinkUser, type LinkWatcher } from "../../net/link.ts";
import { askNow, type Endpoint } from "../../net/peer.ts";
import { proxyTlvs } from "../../net/proxy-tlvs.ts";
import { known } from "../facts.ts";
import type { TcpsConn } from "./dealet.ts";
import { proxyHeader, type ProxyVersion } from "../../net/write-proxy-header.ts";

/** Who wants a connection. */
export interface DialWish extends SelectionHint {
  /** The address that the client connected to, for PROXY headers. */
  readonly to: Endpoint;
  /** What PROXY headers of version 2 say of the connection. */
  readonly about: Pick<TcpsConn, "serverName" | "nextProto" | "tls">;
}

/**
 * Learns of the outcome: one of the two, once. What a method throws, or its promise rejects with, is logged; the
 * connection is reset if it was `connected`.
 */
export interface DialUser {
  /** The connection stands. It is held; `link.use` and `link.hold(false)` start it. */
  connected(link: Link, node: string): void | Promise<void>;
  /** No node could be connected to. */
  failed(failure: BackendFailure): void | Promise<void>;
  /** After `connected`: the node is down by its health checks. */
  nodeDown(): void | Promise<void>;
}

/** The connections to one node. */
export class NodeLinks implements NodePool {
  readonly #links = new SeatedRoster<NodeLink>();

  add(link: NodeLink): void {
    this.#links.add(link);
  }

  delete(link: NodeLink): void {
    this.#links.delete(link);
  }

  /** Nothing is kept idle. */
  close(): void {}

  nodeDown(): void {
    for (const link of this.#links) link.nodeDown();
  }

  destroy(): void {
    for (const link of this.#links) link.cancel();
  }
}

/** Chooses the nodes, and keeps the log. */
interface LinkOwner extends NodeOwner<NodeLinks> {
  /** A mistake of ours has ended a connection to a node. */
  failed(node: string, error: unknown): void;
}

export interface NodeLinkOptions {
  readonly wish: DialWish;
  readonly user: DialUser;
  readonly owner: LinkOwner;
  readonly settings: { readonly dialTimeout: number; readonly proxyProtocol: "off" | ProxyVersion };
  readonly tls: ConnectionOptions | undefined;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

/** One attempt: from the wait for a node to the end of the connection. */
export class NodeLink implements Waiter<NodeLinks>, LinkUser, LinkWatcher {
  /** Among the links of its node. */
  place = -1;
  readonly wish: DialWish;
  readonly user: DialUser;
  readonly #owner: LinkOwner;
  readonly #settings: NodeLinkOptions["settings"];
  readonly #tls: ConnectionOptions | undefined;
  /** Until the connection stands. */
  #deadline: Deadline | undefined;
  #node: Node<NodeLinks> | undefined;
  #link: Link | undefined;
  #state: "waiting" | "dialling" | "connected" | "over" = "waiting";

  // Its options are not kept: there may be tens of thousands of these.
  constructor({ wish, user, owner, settings, tls, makeDeadline }: NodeLinkOptions) {
    this.wish = wish;
    this.user = user;
    this.#owner = owner;
    this.#settings = settings;
    this.#tls = tls;
    // The client may leave while it waits for a node.
    if (settings.proxyProtocol !== "off" && wish.from !== undefined) askNow(wish.from);
    this.#deadline = makeDeadline(() => this.#expired());
  }

  entered(node: Node<NodeLinks>): void {
    if (this.#state === "over") return this.#owner.leave(node, "unknown");
    this.#state = "dialling";
    this.#node = node;
    node.pool.add(this);
    this.#deadline?.set(this.#settings.dialTimeout);
    const link = new Link((onread) => this.#dial(node.spec, onread), this);
    this.#link = link;
    link.watchedBy(this, this.#tls === undefined ? "connect" : "secureConnect");
  }

  refused(failure: BackendFailure): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#tellFailure(failure);
  }

  /** For its node. */
  nodeDown(): void {
    guarded(
      () => this.user.nodeDown(),
      (error) => this.linkThrew(error),
    );
  }

  /** Nobody wants it any more. */
  cancel(): void {
    if (this.#state === "waiting") this.#owner.forget(this);
    if (this.#state !== "connected") this.#state = "over";
    this.#link?.destroy();
  }

  // A server that speaks first may do so before anyone reads: then the link is held already.
  received(): void {}
  ended(): void {}
  drained(): void {}
  closed(): void {}

  #dial(spec: NodeSpec, onread: OnReadOpts): Socket | BareConn {
    const tls = this.#tls;
    const { proxyProtocol } = this.#settings;
    if (proxyProtocol === "off") {
      if (tls === undefined && "port" in spec.address) {
        const bare = BareConn.dial(spec.address.host, spec.address.port);
        if (bare !== undefined) return bare;
      }
      return dialNode(spec, tls, { allowHalfOpen: true, onread }).socket;
    }
    // The header stands before TLS.
    const options = { ...spec.address, allowHalfOpen: true, noDelay: true };
    const plain = connect(tls === undefined ? { ...options, onread } : options);
    plain.write(proxyHeader(proxyProtocol, this.wish.from, this.wish.to, this.#tlvs()));
    if (tls === undefined) return plain;
    const servername = tls.servername ?? (/^[\d.]*$|:/.test(spec.hostname) ? "" : spec.hostname);
    const secure = connectTLS({ ...tls, socket: plain, servername });
    plain.on("error", (error) => secure.destroy(error));
    return secure;
  }

  #tlvs(): Buffer {
    const { serverName, nextProto, tls } = this.wish.about;
    return proxyTlvs({ serverName: known(serverName), nextProto: known(nextProto), tls });
  }

  linkConnected(): void {
    const link = this.#link;
    const node = this.#node;
    if (link === undefined || node === undefined) return;
    this.#deadline?.clear();
    this.#deadline = undefined;
    if (this.#state !== "dialling") return link.destroy();
    this.#state = "connected";
    this.#owner.judge(node, "good");
    link.holdAfter(() => link.heed(this.user.connected(link, node.id)));
  }

  #expired(): void {
    const node = this.#node?.id ?? "";
    const reason = `it could not be connected to within ${this.#settings.dialTimeout} ms`;
    this.#fail(new BackendFailure("HEMI_TIMEOUT", node, reason));
    this.#link?.destroy();
  }

  linkThrew(error: unknown): void {
    this.#owner.failed(this.#node?.id ?? "", error);
  }

  linkClosed(): void {
    const node = this.#node;
    if (node === undefined) return;
    this.#deadline?.clear();
    node.pool.delete(this);
    const wasDialling = this.#state === "dialling";
    const reason = this.#link?.error?.message ?? "it closed the connection";
    if (wasDialling) this.#fail(new BackendFailure("HEMI_BACKEND_DIAL", node.id, reason));
    this.#state = "over";
    this.#owner.depart(node);
  }

  #fail(failure: BackendFailure): void {
    if (this.#state !== "dialling" || this.#node === undefined) return;
    this.#state = "over";
    this.#owner.judge(this.#node, { failure: failure.message });
    this.#tellFailure(failure);
  }

  #tellFailure(failure: BackendFailure): void {
    guarded(
      () => this.user.failed(failure),
      (error) => this.linkThrew(error),
    );
  }
}
