// The stage that programs use: life cycle and components (stage/stage.ts), plus `inject` and `explain` of its web
// servers and routers.

import { HemiError } from "./errors/hemi-error.ts";
import type { AskedConn, ConnWalk } from "./layer4/explain/conn-explanation.ts";
import { explainConn } from "./layer4/explain/explain-conn.ts";
import { explainableRouter } from "./layer4/explain/explainable-router.ts";
import { StageCore, type StageComponents } from "./stage/stage.ts";
import { explainAmong } from "./web/explain/explain-among.ts";
import type { ExplainRequest, Walk } from "./web/explain/explanation.ts";
import { explainable, injectable } from "./web/server-capabilities.ts";
import type { InjectRequest, InjectResponse } from "./web/wires/inject-request.ts";

/** `Components` are the named components of a tree with known types; for any other configuration it has no entries. */
export class Stage<Components extends StageComponents = StageComponents> extends StageCore<Components> {
  /**
   * Runs a request without a socket, in the server with this path or name. `into` may be omitted if there is only one
   * server.
   */
  async inject(request: InjectRequest, { into }: { readonly into?: string } = {}): Promise<InjectResponse> {
    if (this.state !== "running") {
      throw new HemiError("HEMI_STAGE_STATE", `the stage is ${this.state}: it takes requests when it is running`);
    }
    const takers = this.offering(injectable);
    const named = takers.filter(({ path, name }) => into === undefined || path === into || name === into);
    const [taker] = named;
    if (taker === undefined || named.length > 1) {
      const known = takers.map(({ path }) => path).join(", ") || "none";
      const problem =
        into === undefined ? "say which server takes the request" : `no server has the path or name "${into}"`;
      throw new HemiError("HEMI_USAGE", `${problem}; those that can: ${known}`);
    }
    return await taker.part.inject(request);
  }

  /**
   * Describes how a request would be handled, without side effects: no handler runs, and nothing is sent, opened or
   * logged; files are only inspected. The stage need not be started. `into` is the path or name of the server, whatever
   * the URL says; by default the URL determines it. Rejects with HEMI_USAGE for a request that no client could send,
   * and if several servers match.
   */
  async explain(request: ExplainRequest, { into }: { readonly into?: string } = {}): Promise<Walk> {
    return await explainAmong(this.offering(explainable), request, into);
  }

  /**
   * Describes what routers would do with a connection, or with the first datagram of a session, without side effects:
   * nothing is sent, opened or logged. The stage need not be started.
   */
  async explainConn(conn: AskedConn): Promise<ConnWalk> {
    return await explainConn(this.offering(explainableRouter), conn);
  }
}
