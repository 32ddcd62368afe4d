// The connections to one node over HTTP/2.

import { dialNode, type Dialled } from "../backend/dial.ts";
import type { NodeSpec } from "../backend/node.ts";
import { StreamPool } from "../http/stream-pool.ts";
import type { WebPoolOptions } from "../http/web-backend-part.ts";
import { Http2NodeConn, type Http2NodeConnOwner } from "./node-conn.ts";
import type { ConnSource, Http2NodeExchan } from "./node-exchan.ts";
import type { Http2NodeSettings } from "./node-props.ts";

export class Http2Pool extends StreamPool<Http2NodeExchan, Http2NodeConn> implements ConnSource, Http2NodeConnOwner {
  readonly #options: WebPoolOptions<Http2NodeSettings>;

  constructor(spec: NodeSpec, options: WebPoolOptions<Http2NodeSettings>) {
    super(spec, options.makeDeadline);
    this.#options = options;
  }

  get settings(): Http2NodeSettings {
    return this.#options.settings;
  }

  protected get maxConns(): number {
    return this.settings.http2MaxConns;
  }

  protected dialConn(): Http2NodeConn {
    return new Http2NodeConn(this);
  }

  dial(): Dialled {
    return dialNode(this.spec, this.#options.tls);
  }
}
