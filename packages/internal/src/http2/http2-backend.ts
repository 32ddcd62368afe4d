// http2Backend: a group of equal servers that speak HTTP/2.

import type { ConnectionOptions } from "node:tls";
import type { Deadline } from "@hemi/common";
import { probeHTTP } from "../backend/http-probe.ts";
import type { NodeSpec } from "../backend/node.ts";
import { checkWebBackend, webBackendProps, WebBackendPart, type WebProtocol } from "../backend/web-backend-part.ts";
import { defineBackend, type BackendPart } from "../component/kinds/backend.ts";
import { Http2ClientExchan, type ConnSource, type TunnelWish } from "./client-exchan.ts";
import { Http2Pool } from "./client-pool.ts";
import { http2ClientProps, type Http2ClientSettings } from "./client-props.ts";

/**
 * A group of equal servers that speak HTTP/2, for `httpProxy`: by TLS, where ALPN has to agree on it, or without, where the nodes have to know. gRPC passes.
 * A few connections carry many requests each.
 */
export const http2Backend = defineBackend({
  sign: "http2Backend",
  props: { ...webBackendProps, ...http2ClientProps },
  check(context) {
    checkWebBackend(context);
    if (context.props.proxyProtocol === "off") return;
    context.report({
      prop: "proxyProtocol",
      message: "a connection over HTTP/2 is for many clients: nodes cannot be told of one by the PROXY protocol",
      hint: "the fields forwarded and x-forwarded-for tell them: see .forwarded of httpProxy",
    });
  },
  create: (context): BackendPart => new WebBackendPart(context, http2(context.props)),
});

interface DeadlineMaker {
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

function http2(props: Http2ClientSettings & Parameters<typeof probeHTTP>[0]): WebProtocol<ConnSource> {
  const makePool = (
    spec: NodeSpec,
    { makeDeadline }: DeadlineMaker,
    tls: ConnectionOptions | undefined,
    settings: Http2ClientSettings = props,
  ): Http2Pool => new Http2Pool(spec, { settings, tls, makeDeadline });
  return {
    alpn: "h2",
    makePool,
    probes: (backend, tls) => ({
      http: probeHTTP<ConnSource>(props, {
        makePool(spec, timeout) {
          const limited = { ...props, dialTimeout: timeout, readTimeout: timeout, writeTimeout: timeout };
          return makePool(spec, backend, tls(), limited);
        },
        newExchan: (...request) => new Http2ClientExchan(...request),
      }),
    }),
    exchange: (...request) => begun(...request),
    tunnel: (request, protocol, wish, taker, backend) => begun(request, wish, taker, backend, { protocol, taker }),
  };
}

function begun(...[request, wish, taker, backend, tunnel]: BeginArguments): Http2ClientExchan {
  const exchan = new Http2ClientExchan(request, wish, taker, backend, tunnel);
  backend.enter(exchan);
  return exchan;
}

type BeginArguments = [...Parameters<WebProtocol<ConnSource>["exchange"]>, tunnel?: TunnelWish];
