// The login of a client whose password only the servers know. It proves itself to a server, over a connection that is
// its own from then on.
//
//  client ── first message ──> proxy ── dial, TLS, first message ──> server
//         <── request ────────── passed on, both ways ────────────────
//         ──── proof ───────────────────────────────────────────────>
//                                     ready: queries, or its error

import type { DatabaseCounts } from "@hemi/internal";
import { errorMessage, sqlStates } from "../protocol/errors.ts";
import { ClientAuth } from "../server/server-auth.ts";
import type { Lender } from "../server/lender.ts";
import { OwnServer } from "../server/own-server.ts";
import type { PlaceHolder } from "../server/relayed-places.ts";
import { ServerConn, type ServerConnOptions } from "../server/server-conn.ts";
import { StatementTable } from "../server/statements.ts";

/** The client, as its login needs it. */
export interface RelayedClient {
  /** Its address. */
  readonly source: string;
  /** Whether the connection to the client is encrypted. */
  readonly isClientSecure: boolean;
  /** Sends the client a request of the server. */
  readonly ask: (message: Buffer) => void;
  /** The server has let it in. */
  readonly known: (lender: Lender) => void;
  /** There is no server, or it does not let the client in. `error`: for the client. */
  readonly failed: (error: Buffer | undefined) => void;
}

export interface RelayedLoginOptions
  extends RelayedClient, Pick<ServerConnOptions, "backend" | "tls" | "settings" | "log"> {
  readonly user: string;
  /** As the client calls it. */
  readonly database: string;
  /** As the server does. */
  readonly serverName: string;
  readonly counts: DatabaseCounts;
  /** The client has proved itself. */
  readonly proved: (login: RelayedLogin) => void;
  /** The connection to the server is closed, whatever was before. */
  readonly over: (login: RelayedLogin) => void;
}

export class RelayedLogin implements PlaceHolder {
  readonly #auth: ClientAuth;
  readonly #conn: ServerConn;
  readonly #failed: RelayedClient["failed"];
  readonly source: string;

  constructor({
    isClientSecure,
    ask,
    known,
    failed,
    over,
    proved,
    serverName,
    counts,
    ...options
  }: RelayedLoginOptions) {
    const { user, database, source } = options;
    this.source = source;
    this.#failed = failed;
    this.#auth = new ClientAuth(isClientSecure, ask);
    this.#conn = new ServerConn({
      ...options,
      database: serverName,
      auth: this.#auth,
      ready: (conn) => {
        proved(this);
        const pool = new OwnServer(conn);
        known({ user, database, counts, pool, statements: new StatementTable(), clients: 0, defaults: undefined });
      },
      over: (_, error) => {
        over(this);
        failed(error);
      },
    });
  }

  begin(): void {
    this.#conn.dial();
  }

  /** The client has sent a message of the type `p`. Throws a ProtocolError if it was not asked. */
  answered(message: Buffer): void {
    this.#auth.answered();
    this.#conn.write(message, false);
  }

  giveWay(): void {
    const text = "too many clients log in at the same time, and this one has not proved who it is";
    this.#failed(errorMessage("FATAL", sqlStates.tooManyConnections, text));
    this.#conn.close();
  }

  /** The client has left. */
  close(): void {
    this.#conn.close();
  }
}
