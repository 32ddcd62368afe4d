// The connections to the nodes of one backend that clients share: that is why an idle client costs no connection.

import type { TcpsBackend } from "@hemi/internal";
import { NodeConn, type ConnSetup } from "./node-conn.ts";

export interface SharedConnsOptions {
  readonly backend: TcpsBackend;
  /** Read at each use, because live props change them. */
  readonly settings: { readonly connsPerNode: number; readonly maxReplySize: number };
  readonly log: (failure: string) => void;
}

export class SharedConns {
  readonly #options: SharedConnsOptions;
  /** By node, protocol and database. */
  readonly #conns = new Map<string, (NodeConn | undefined)[]>();

  constructor(options: SharedConnsOptions) {
    this.#options = options;
  }

  get backend(): TcpsBackend {
    return this.#options.backend;
  }

  /**
   * An open connection, or one that is being made. `turn`: the same for all requests of a client, whose order is kept
   * by that.
   */
  take(only: string | undefined, setup: ConnSetup, turn: number): NodeConn {
    const key = `${only ?? ""} ${setup.protocol} ${setup.database}`;
    const conns = this.#conns.get(key) ?? [];
    this.#conns.set(key, conns);
    const at = turn % this.#options.settings.connsPerNode;
    const known = conns[at];
    if (known !== undefined && !known.isOver) return known;
    const { backend, settings, log } = this.#options;
    const closed = (conn: NodeConn): void => {
      if (conns[at] === conn) conns[at] = undefined;
    };
    const made = new NodeConn({ backend, only, setup, maxReplySize: () => settings.maxReplySize, closed, log });
    conns[at] = made;
    return made;
  }

  close(): void {
    for (const conns of this.#conns.values()) for (const conn of conns) conn?.close("the stage shuts down");
    this.#conns.clear();
  }
}
