// Where transactions are, by the ids of their sessions: a transaction ends at `admin`, perhaps on another connection of
// the same client.
//
//  client (address) ─┬─ connection ─┐
//                    └─ connection ─┴─> its transactions: id of a session ──> backend

import { clientOf, type TcpsBackend } from "@hemi/internal";

/** Those of one client. */
export class Transactions {
  readonly #backends = new Map<string, TcpsBackend>();

  /** The last transaction of this session is there; `undefined`: where everything is that has no place of its own. */
  remember(session: string, backend: TcpsBackend | undefined): void {
    this.#backends.delete(session);
    if (backend === undefined) return;
    this.#backends.set(session, backend);
    const [oldest] = this.#backends.keys();
    if (this.#backends.size > maxTransactions && oldest !== undefined) this.#backends.delete(oldest);
  }

  /** It stays known after the end of the transaction, because drivers try again to commit. */
  find(session: string): TcpsBackend | undefined {
    return this.#backends.get(session);
  }
}

/** Those of all clients, each as long as it has a connection: none can name or displace those of another one. */
export class ClientTransactions {
  readonly #clients = new Map<string, { readonly transactions: Transactions; conns: number }>();

  /** For one more connection from an address, until `leave`. */
  enter(address: string): Transactions {
    const client = clientOf(address);
    const known = this.#clients.get(client) ?? { transactions: new Transactions(), conns: 0 };
    known.conns++;
    this.#clients.set(client, known);
    return known.transactions;
  }

  leave(address: string): void {
    const client = clientOf(address);
    const known = this.#clients.get(client);
    if (known !== undefined && --known.conns === 0) this.#clients.delete(client);
  }
}

/** Not a prop: of one client at a time. Those that were never ended are forgotten. */
const maxTransactions = 1000;
