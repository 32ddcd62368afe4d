// The connections to one node over HTTP/3.

import { StreamPool, type NodeSpec, type WebPoolOptions } from "@hemi/internal";
import type { Http3NodeSettings } from "../http3-node-props.ts";
import { ClientConfigs, type ClientTls } from "../quic/client-configs.ts";
import { DialledConn, type DialledConnListener } from "../quic/dialled-conn.ts";
import { nativeQuic } from "../quic/native.ts";
import { Http3NodeConn, type Http3NodeConnOwner } from "./node-conn.ts";
import type { Http3NodeExchan, Http3Source } from "./node-exchan.ts";
import { nodeTransport } from "./node-transport.ts";

export interface Http3PoolOptions extends Omit<WebPoolOptions<Http3NodeSettings>, "tls"> {
  readonly tls: ClientTls;
}

export class Http3Pool extends StreamPool<Http3NodeExchan, Http3NodeConn> implements Http3Source, Http3NodeConnOwner {
  readonly #options: Http3PoolOptions;

  constructor(spec: NodeSpec, options: Http3PoolOptions) {
    super(spec, options.makeDeadline);
    this.#options = options;
  }

  get settings(): Http3NodeSettings {
    return this.#options.settings;
  }

  protected get maxConns(): number {
    return this.settings.http3MaxConns;
  }

  protected dialConn(): Http3NodeConn {
    return new Http3NodeConn(this);
  }

  dial(listener: DialledConnListener): DialledConn {
    const { address, hostname } = this.spec;
    const { tls, settings } = this.#options;
    if ("path" in address) throw new TypeError("datagrams are sent to a port");
    return new DialledConn(
      {
        native: nativeQuic(),
        to: { address: address.host, port: address.port },
        name: tls.servername ?? hostname,
        isVerified: tls.rejectUnauthorized !== false,
        config: configs.of(tls, nodeTransport(settings)),
        overhead: { max: settings.http3MaxOverhead, recovery: settings.http3FloodRecovery },
      },
      listener,
    );
  }
}

/** Of all pools: those of one backend have the same options of TLS. */
const configs = new ClientConfigs(nativeQuic);
