// What one client of a server may have under way: connections and requests.
//
// A proxy that is trusted to say for whom it asks is not one client. Its connections are not counted, and its requests count for those whom it names.

import type { Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import { prop } from "../component/prop.ts";
import { Refusals } from "../front/refusals.ts";
import type { ExchanWire } from "../http/exchan.ts";
import { forwardedSource, type ForwardedTrust } from "../http/forwarded-source.ts";
import type { ErrorLog } from "../log/error-log.ts";
import { ClientCounts, clientOf } from "../net/client-counts.ts";

/** They are off by default: behind one address there may be an office, a mobile network, or a balancer that nobody has told us of. */
export const clientLimitProps = {
  /**
   * Connections of one client at once; one more is closed as soon as it is accepted, and the error log counts them. A client is an IPv4 address, or a /64
   * network of IPv6. Those of `proxyProtocol` count for the client that is named; those of `trustForwarded` are not counted. 0: any number.
   */
  maxConnsPerClient: prop.integer({ default: 0, inherited: true, reload: "live" }),
  /**
   * Requests of one client that are under way at once, on whatever connections, tunnels and WebSockets too; one more is answered with 429, and the error
   * log counts them. Those of `trustForwarded` count for the client that is named. 0: any number.
   */
  maxRequestsPerClient: prop.integer({ default: 0, inherited: true, reload: "live" }),
};

export interface ClientLimitSettings extends ForwardedTrust {
  readonly maxConnsPerClient: number;
  readonly maxRequestsPerClient: number;
}

export class ClientLimits {
  /** Looked at whenever it is used: live. */
  readonly #settings: ClientLimitSettings;
  readonly #conns = new ClientCounts();
  readonly #requests = new ClientCounts();
  readonly #refusedConns: Refusals;
  readonly #refusedRequests: Refusals;

  constructor(settings: ClientLimitSettings, log: ErrorLog, makeDeadline: (onExpired: () => void) => Deadline) {
    this.#settings = settings;
    const refusals = (what: string, prop: "maxConnsPerClient" | "maxRequestsPerClient"): Refusals =>
      new Refusals({
        makeDeadline,
        tell(count, latest) {
          const whose = count === 1 ? `a ${what} of ${latest}` : `${count} ${what}s, the last of ${latest}`;
          log.warn(`refused ${whose}: a client may have ${settings[prop]} at once, which is ${prop}`);
        },
      });
    this.#refusedConns = refusals("connection", "maxConnsPerClient");
    this.#refusedRequests = refusals("request", "maxRequestsPerClient");
  }

  /** Whether a client may have one more connection; a refusal is counted for the log. */
  mayConnect(address: string): boolean {
    const { maxConnsPerClient } = this.#settings;
    if (!this.#countsConnOf(address) || this.#conns.of(clientOf(address)) < maxConnsPerClient) return true;
    this.#refusedConns.add(address);
    return false;
  }

  /** Counts a connection until its socket has closed. */
  connected(socket: Socket, address: string): void {
    if (!this.#countsConnOf(address)) return;
    const client = clientOf(address);
    this.#conns.add(client);
    socket.once("close", () => this.#conns.remove(client));
  }

  /** Counts a request until its exchan has ended. False: it is one too many, and is to be refused. */
  mayServe(wire: ExchanWire): boolean {
    const { maxRequestsPerClient } = this.#settings;
    if (maxRequestsPerClient === 0) return true;
    const { address } = forwardedSource(wire.peer.source ?? wire.peer, wire.head.fields, this.#settings);
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

  /** Tells what is left to be told. */
  close(): void {
    this.#refusedConns.close();
    this.#refusedRequests.close();
  }

  /** "": it came by a UNIX socket, which has no clients to tell apart. */
  #countsConnOf(address: string): boolean {
    const { maxConnsPerClient, trustForwarded } = this.#settings;
    return maxConnsPerClient > 0 && address !== "" && !trustForwarded.contains(address);
  }
}
