// http3Backend: a group of equal servers that speak HTTP/3.

import {
  checkWebBackend,
  defineBackend,
  prop,
  refuseProxyProtocol,
  tunnelBackend,
  webBackend,
  WebBackendPart,
  webBackendProps,
  type Context,
  type Part,
  type PropsOf,
  type TunnelBackend,
  type WebProtocol,
} from "@hemi/internal";
import { readClientTls } from "./client-tls-props.ts";
import { http3NodeProps } from "./http3-node-props.ts";
import { Http3NodeExchan, type Http3Source } from "./http3/node-exchan.ts";
import { nodeTransport } from "./http3/node-transport.ts";
import { Http3Pool } from "./http3/node-pool.ts";
import { ClientConfigs } from "./quic/client-configs.ts";
import { nativeQuic } from "./quic/native.ts";

const props = {
  ...webBackendProps,
  /** HTTP/3 is never spoken without TLS: only true is possible. */
  tlsMode: prop.bool({ default: true }),
  ...http3NodeProps,
};

type Settings = PropsOf<typeof props>;

/**
 * A group of equal servers that speak HTTP/3, for `httpProxy` and `sockProxy`. Their certificates are verified. A few
 * connections carry many requests each.
 */
export const http3Backend = defineBackend({
  sign: "http3Backend",
  props,
  check(context) {
    checkWebBackend(context);
    refuseProxyProtocol(context, "HTTP/3");
    const { nodes, tlsMode, healthCheck } = context.props;
    if (!tlsMode) context.report({ prop: "tlsMode", message: "HTTP/3 is never spoken without TLS" });
    if (nodes.some(({ address }) => "path" in address))
      context.report({ prop: "nodes", message: "datagrams are sent to a port: write host:port" });
    if (healthCheck === "tcp")
      context.report({ prop: "healthCheck", message: "HTTP/3 is not spoken over TCP", hint: 'use "http"' });
  },
  offers: [webBackend, tunnelBackend],
  create: (context): Part & TunnelBackend => new Http3BackendPart(context),
});

class Http3BackendPart extends WebBackendPart<Http3Source, Settings> {
  constructor(context: Context<Settings>) {
    super(context, http3);
  }

  override examine(): void {
    this.#tryTls();
    super.examine();
  }

  override async prepare(): Promise<void> {
    this.#tryTls();
    await super.prepare();
  }

  /** Throws if the library or the certificates cannot be used. */
  #tryTls(): void {
    new ClientConfigs(nativeQuic).of(readClientTls(this.props), nodeTransport(this.props));
  }
}

const http3: WebProtocol<Http3Source, Settings> = {
  alpn: "h3",
  makePool: (spec, { settings, tls, makeDeadline }) => new Http3Pool(spec, { settings, tls: tls ?? {}, makeDeadline }),
  newExchan: (...request) => new Http3NodeExchan(...request),
};
