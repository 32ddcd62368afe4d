// The connections to the nodes of one backend that clients share: that is why an idle client costs no connection.

import type { Deadline } from "@hemi/common";
import type { TcpsBackend } from "@hemi/internal";
import { NodeConn, type ConnSetup } from "./node-conn.ts";

export interface SharedConnsOptions {
  readonly backend: TcpsBackend;
  /** Read at each use, because live props change them. */
  readonly settings: {
    readonly connsPerNode: number;
    readonly maxReplySize: number;
    readonly replyTimeout: number;
  };
  readonly setup: (client: ClientChoice) => ConnSetup;
  readonly log: (failure: string) => void;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

/** What a connection of a client has chosen. */
export interface ClientChoice {
  readonly id: number;
  readonly protocol: 2 | 3;
  readonly database: number;
}

export class SharedConns {
  readonly #options: SharedConnsOptions;
  /** By node, then by protocol and database. */
  readonly #conns = new Map<string, Map<number, (NodeConn | undefined)[]>>();

  constructor(options: SharedConnsOptions) {
    this.#options = options;
  }

  get backend(): TcpsBackend {
    return this.#options.backend;
  }

  /** An open connection, or one that is being made: the same for all requests of a client, which keeps their order. */
  take(only: string | undefined, client: ClientChoice): NodeConn {
    const conns = this.#connsOf(only, client);
    const at = client.id % this.#options.settings.connsPerNode;
    const known = conns[at];
    if (known !== undefined && !known.isOver) return known;
    const { backend, settings, setup, log, makeDeadline } = this.#options;
    const closed = (conn: NodeConn): void => {
      if (conns[at] === conn) conns[at] = undefined;
    };
    const maxReplySize = (): number => settings.maxReplySize;
    const replyLimit = { settings, makeDeadline };
    const made = new NodeConn({ backend, only, setup: setup(client), maxReplySize, replyLimit, closed, log });
    conns[at] = made;
    return made;
  }

  #connsOf(only: string | undefined, { protocol, database }: ClientChoice): (NodeConn | undefined)[] {
    const nodeKey = only ?? "";
    let ofNode = this.#conns.get(nodeKey);
    if (ofNode === undefined) this.#conns.set(nodeKey, (ofNode = new Map<number, (NodeConn | undefined)[]>()));
    const key = database * 4 + protocol;
    let conns = ofNode.get(key);
    if (conns === undefined) ofNode.set(key, (conns = []));
    return conns;
  }

  close(): void {
    const all = [...this.#conns.values()].flatMap((ofNode) => [...ofNode.values()].flat());
    for (const conn of all) conn?.close("the stage shuts down");
    this.#conns.clear();
  }
}
