// http1Backend: a group of equal servers that speak HTTP/1.

import type { ConnectionOptions } from "node:tls";
import type { Deadline } from "@hemi/common";
import type { ConnSettings } from "../backend/client-conn.ts";
import { ConnPool } from "../backend/conn-pool.ts";
import { probeHTTP } from "../backend/http-probe.ts";
import type { NodeSpec } from "../backend/node.ts";
import {
  checkWebBackend,
  webBackendProps,
  WebBackendPart,
  type WebBackendProps,
  type WebProtocol,
} from "../backend/web-backend-part.ts";
import { defineBackend, type BackendPart } from "../component/kinds/backend.ts";
import { Http1ClientExchan, type TunnelWish } from "./client-exchan.ts";
import type { Http1Pool } from "./client-traits.ts";
import type { ContentLimits } from "./request-content.ts";

/** A group of equal servers that speak HTTP/1, for `httpProxy`. */
export const http1Backend = defineBackend({
  sign: "http1Backend",
  props: webBackendProps,
  check(context) {
    checkWebBackend(context);
    const { props } = context;
    if (props.tlsMode && props.proxyProtocol !== "off") {
      context.report({
        prop: "proxyProtocol",
        message: "nodes cannot be told by the PROXY protocol before TLS as yet",
      });
    }
  },
  create: (context): BackendPart => new WebBackendPart(context, http1(context.props)),
});

interface DeadlineMaker {
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

function http1(props: WebBackendProps): WebProtocol<Http1Pool> {
  const contentLimits = new TrailerLimits(props);
  const makePool = (
    spec: NodeSpec,
    { makeDeadline }: DeadlineMaker,
    tls: ConnectionOptions | undefined,
    settings: ConnSettings = props,
  ): Http1Pool => new ConnPool(spec, { settings, traits: { settings: props, contentLimits }, tls, makeDeadline });
  return {
    alpn: "http/1.1",
    makePool,
    probes: (backend, tls) => ({
      http: probeHTTP<Http1Pool>(props, {
        makePool(spec, timeout) {
          const limited = { ...props, dialTimeout: timeout, readTimeout: timeout, writeTimeout: timeout };
          return makePool(spec, backend, tls(), limited);
        },
        newExchan: (...request) => new Http1ClientExchan(...request),
      }),
    }),
    exchange: (...request) => begun(...request),
    tunnel: (request, protocol, wish, taker, backend) => begun(request, wish, taker, backend, { protocol, taker }),
  };
}

function begun(...[request, wish, taker, backend, tunnel]: BeginArguments): Http1ClientExchan {
  const exchan = new Http1ClientExchan(request, wish, taker, backend, tunnel);
  backend.enter(exchan);
  return exchan;
}

type BeginArguments = [...Parameters<WebProtocol<Http1Pool>["exchange"]>, tunnel?: TunnelWish];

/** The limits of an answer's content, always those of the present props. */
class TrailerLimits implements ContentLimits {
  readonly maxDiscardedContent = 0;
  readonly #props: Pick<WebBackendProps, "maxHeadSize" | "maxFields">;

  constructor(props: Pick<WebBackendProps, "maxHeadSize" | "maxFields">) {
    this.#props = props;
  }

  get maxHeadSize(): number {
    return this.#props.maxHeadSize;
  }

  get maxFields(): number {
    return this.#props.maxFields;
  }
}
