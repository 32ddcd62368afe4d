// Limits the concurrent connections of each client of a server.

import type { Deadline } from "@hemi/common";
import { prop } from "../component/prop.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { Endpoint } from "../net/peer.ts";
import { ClientCounts, clientOf } from "../net/client-counts.ts";
import type { ClientAdmission, OpenConn } from "./front.ts";
import { Refusals } from "./refusals.ts";

/** Off by default, because one address may be that of an office, a mobile network, or an unknown load balancer. */
export const connsPerClientProps = {
  /**
   * Maximum number of concurrent connections of one client. One more is closed as soon as it is accepted, and the error
   * log reports the number. A client is an IPv4 address, or a /64 network of IPv6. Connections from proxies of
   * `proxyProtocol` are counted for the client that they name. 0: unlimited.
   */
  maxConnsPerClient: prop.integer({ default: 0, inherited: true, reload: "live" }),
};

export class ConnsPerClient implements ClientAdmission {
  /** Read at each use, because live props change it. */
  readonly #settings: { readonly maxConnsPerClient: number };
  readonly #isExempt: (address: string) => boolean;
  readonly #conns = new ClientCounts();
  readonly #refused: Refusals;

  /** `isExempt`: whether the connections of an address are not counted. Default: none is. */
  constructor(
    settings: { readonly maxConnsPerClient: number },
    log: ErrorLog,
    makeDeadline: (onExpired: () => void) => Deadline,
    isExempt: (address: string) => boolean = () => false,
  ) {
    this.#settings = settings;
    this.#isExempt = isExempt;
    this.#refused = new Refusals({
      makeDeadline,
      tell(count, latest) {
        const whose = count === 1 ? `a connection of ${latest}` : `${count} connections, the last of ${latest}`;
        log.warn(
          `refused ${whose}: a client may have ${settings.maxConnsPerClient} at once, which is maxConnsPerClient`,
        );
      },
    });
  }

  /** Whether a client may open one more connection. A refusal is counted for the log. */
  mayConnect(client: Endpoint): boolean {
    const { maxConnsPerClient } = this.#settings;
    if (!this.#counts(client) || this.#conns.of(clientOf(client.address)) < maxConnsPerClient) return true;
    this.#refused.add(client.address);
    return false;
  }

  /** Counts a connection until it has closed. */
  connected(conn: OpenConn, client: Endpoint): void {
    if (!this.#counts(client)) return;
    const name = clientOf(client.address);
    this.#conns.add(name);
    conn.once("close", () => this.#conns.remove(name));
  }

  /** Logs the remaining refusals. */
  close(): void {
    this.#refused.close();
  }

  /** Clients of a UNIX socket cannot be distinguished: their address is "". It is asked for if there is a limit. */
  #counts(client: Endpoint): boolean {
    return this.#settings.maxConnsPerClient > 0 && client.address !== "" && !this.#isExempt(client.address);
  }
}
