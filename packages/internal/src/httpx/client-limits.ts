// Limits for each client of a server: connections and requests.
//
// A trusted proxy is not one client: its connections are not counted, and its requests are counted for the clients that
// it names.

import type { Deadline } from "@hemi/common";
import { prop } from "../component/prop.ts";
import { ConnsPerClient } from "../front/conns-per-client.ts";
import type { ClientAdmission, OpenConn } from "../front/front.ts";
import { Refusals } from "../front/refusals.ts";
import type { ExchanWire } from "../http/exchan.ts";
import { forwardedClient, type ForwardedTrust } from "../http/forwarded-source.ts";
import type { ErrorLog } from "../log/error-log.ts";
import { ClientCounts, clientOf } from "../net/client-counts.ts";
import type { Endpoint } from "../net/peer.ts";

/**
 * They are off by default, because one address may be that of an office, a mobile network, or an unknown load balancer.
 */
export const clientLimitProps = {
  /**
   * Maximum number of concurrent connections of one client. One more is closed as soon as it is accepted, and the error
   * log reports the number. A client is an IPv4 address, or a /64 network of IPv6. Connections from proxies of
   * `proxyProtocol` are counted for the client that they name; those of `trustForwarded` are not counted. Each
   * worker of the program counts its own connections. 0: unlimited.
   */
  maxConnsPerClient: prop.integer({ default: 0, inherited: true, reload: "live" }),
  /**
   * Maximum number of concurrent requests of one client on all its connections, including tunnels and WebSockets. One
   * more gets 429, and the error log reports the number. Requests from proxies of `trustForwarded` are counted for the
   * client that they name. Each worker of the program counts its own requests. 0: unlimited.
   */
  maxRequestsPerClient: prop.integer({ default: 0, inherited: true, reload: "live" }),
};

export interface ClientLimitSettings extends ForwardedTrust {
  readonly maxConnsPerClient: number;
  readonly maxRequestsPerClient: number;
}

export class ClientLimits implements ClientAdmission {
  /** Read at each use, because live props change it. */
  readonly #settings: ClientLimitSettings;
  readonly #conns: ConnsPerClient;
  readonly #requests = new ClientCounts();
  readonly #refusedRequests: Refusals;

  constructor(settings: ClientLimitSettings, log: ErrorLog, makeDeadline: (onExpired: () => void) => Deadline) {
    this.#settings = settings;
    const isExempt = (address: string): boolean => settings.trustForwarded.contains(address);
    this.#conns = new ConnsPerClient(settings, log, makeDeadline, isExempt);
    this.#refusedRequests = new Refusals({
      makeDeadline,
      tell(count, latest) {
        const whose = count === 1 ? `a request of ${latest}` : `${count} requests, the last of ${latest}`;
        const most = settings.maxRequestsPerClient;
        log.warn(`refused ${whose}: a client may have ${most} at once, which is maxRequestsPerClient`);
      },
    });
  }

  mayConnect(client: Endpoint): boolean {
    return this.#conns.mayConnect(client);
  }

  connected(conn: OpenConn, client: Endpoint): void {
    this.#conns.connected(conn, client);
  }

  /**
   * Counts a request until its exchan has ended. Returns false if the limit is exceeded and the request must be
   * refused.
   */
  mayServe(wire: ExchanWire): boolean {
    const { maxRequestsPerClient } = this.#settings;
    if (maxRequestsPerClient === 0) return true;
    const { address } = forwardedClient(wire.peer.source ?? wire.peer, wire.head.fields, this.#settings).source;
    if (address === "") return true;
    const client = clientOf(address);
    if (this.#requests.of(client) >= maxRequestsPerClient) {
      this.#refusedRequests.add(address);
      return false;
    }
    this.#requests.add(client);
    wire.onEnd(() => this.#requests.remove(client));
    return true;
  }

  /** Logs the remaining refusals. */
  close(): void {
    this.#conns.close();
    this.#refusedRequests.close();
  }
}
