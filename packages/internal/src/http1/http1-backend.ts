// http1Backend: a group of equal servers that speak HTTP/1.

import { ConnPool } from "../backend/conn-pool.ts";
import {
  checkWebBackend,
  webBackendProps,
  WebBackendPart,
  type WebBackendProps,
  type WebProtocol,
} from "../http/web-backend-part.ts";
import { defineBackend } from "../backend/kind.ts";
import type { Part } from "../component/part.ts";
import { tunnelBackend, webBackend, type TunnelBackend } from "../http/web-backend.ts";
import { Http1NodeExchan } from "./node-exchan.ts";
import type { Http1Pool } from "./node-traits.ts";
import type { MessageLimits } from "./message-content.ts";

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
  offers: [webBackend, tunnelBackend],
  create: (context): Part & TunnelBackend => new WebBackendPart(context, http1),
});

const http1: WebProtocol<Http1Pool, WebBackendProps> = {
  alpn: "http/1.1",
  makePool: (spec, { settings, tls, makeDeadline }) =>
    new ConnPool(spec, {
      settings,
      traits: { settings, contentLimits: new TrailerLimits(settings) },
      tls,
      makeDeadline,
    }),
  newExchan: (...request) => new Http1NodeExchan(...request),
};

/** The limits of an answer's content, always those of the present props. */
class TrailerLimits implements MessageLimits {
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
