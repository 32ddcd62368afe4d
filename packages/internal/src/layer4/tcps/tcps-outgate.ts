// tcpsOutgate: connections to addresses that no backend names, for servers such as socksServer.

import type { Socket } from "node:net";
import { Deadlines } from "@hemi/common";
import { AddressDialler } from "../../backend/address-dialler.ts";
import { BackendFailure } from "../../backend/failure.ts";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { judgeHost, type JudgedHost } from "../../net/allowed-addresses.ts";
import type { Context } from "../../stage/context.ts";
import { defineOutgate } from "../../stage/kinds/outgate.ts";

const props = {
  /** Maximum number of concurrent connections. One more is refused. */
  maxConns: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /** Time limit for a connection. After that, the next address of the name is tried. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
};

/**
 * Connections of TCP to hosts that no backend names, for `socksServer`, `tunnelServer` and `tcpohServer`. Every stage
 * has one, whether its configuration mentions it or not.
 */
export const tcpsOutgate = defineOutgate({
  sign: "tcpsOutgate",
  props,
  create: (context) => new TcpsOutgate(context),
});

/** Connects to hosts that no backend names. */
export class TcpsOutgate implements Part {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #deadlines: Deadlines;
  readonly #dialler: AddressDialler;

  constructor(context: Context<PropsOf<typeof props>>) {
    const { props: settings, log } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#dialler = new AddressDialler({
      settings,
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      whyFull: () => {
        if (this.#dialler.size < settings.maxConns) return undefined;
        const reason = `there are ${settings.maxConns} connections already, which is maxConns of tcpsOutgate`;
        return new BackendFailure("HEMI_BACKEND_BUSY", "", reason);
      },
    });
  }

  /** Closes all connections. */
  shutdown(): void {
    this.#dialler.close();
    this.#deadlines.close();
  }

  /**
   * The addresses of a host, which may be an IP address, that may be dialled: no private, loopback or otherwise special
   * ones, but those of `allowed`. Rejects with a HemiError for a name that has no address.
   */
  judge(host: string, allowed: { contains(ip: string): boolean }): Promise<JudgedHost> {
    return judgeHost(host, this.#context.stage.namer, allowed);
  }

  /** Connects to the first address that accepts. The socket supports half-close. Rejects with a BackendFailure. */
  dial(ips: readonly string[], port: number): Promise<Socket> {
    return this.#dialler.dial(ips, port);
  }
}
