// Who calls, as far as it has been established: by the handshake, and by what stood before the procedure.

import type { ClientCertificate, TlsFacts } from "../net/tls/tls-facts.ts";
import { authenticatedUser } from "../web/request/authenticated-user.ts";
import type { LocalKey } from "../web/request/locals.ts";
import type { Request } from "../web/request/request.ts";
import type { Session } from "../web/session/session.ts";

/**
 * What has been established about the caller of a procedure. What a client merely says of itself, as in its metadata,
 * is not here.
 */
export class Identity {
  readonly #req: Request | undefined;
  readonly #tls: TlsFacts | undefined;

  /**
   * For the engine. `req`: the request that checkers have seen: that of the call, or of the WebSocket that it came
   * over. `tls`: of the client's connection.
   */
  constructor(req: Request | undefined, tls: TlsFacts | undefined) {
    this.#req = req;
    this.#tls = tls;
  }

  /** The user whom a checker has authenticated, such as `basicAuth`; `undefined` if none has. */
  get user(): string | undefined {
    return this.get(authenticatedUser);
  }

  /** The client's certificate, if it leads to an authority that the webapp trusts; else `undefined`. */
  get certificate(): ClientCertificate | undefined {
    const client = this.#tls?.client;
    return client?.isVerified === true ? client : undefined;
  }

  /** The session of the client; `undefined` where no webapp with a stater stands before the procedure. */
  get session(): Session | undefined {
    return this.#req?.hasSessions === true ? this.#req.session : undefined;
  }

  /** What a handlet before the procedure has stored in `req.locals`. */
  get<T>(key: LocalKey<T>): T | undefined {
    return this.#req?.locals.get(key);
  }
}

/** Of a caller about whom nothing is known. */
export const unknownIdentity = new Identity(undefined, undefined);
