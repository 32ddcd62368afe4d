// The stage as programs have it: its life and its components (stage/stage.ts), and what its web servers can be asked.

import { HemiError } from "./errors/hemi-error.ts";
import { StageCore, type StageComponents } from "./stage/stage.ts";
import { explainAmong } from "./web/explain/explain-among.ts";
import type { ExplainRequest, Walk } from "./web/explain/explanation.ts";
import { explainable, injectable } from "./web/server-capabilities.ts";
import type { InjectRequest, InjectResponse } from "./web/wires/inject-request.ts";

/** `Components` are the named ones of a tree whose types are known; of any other configuration, nothing is known. */
export class Stage<Components extends StageComponents = StageComponents> extends StageCore<Components> {
  /** Runs a request without a socket, in the server with this path or name; it may be left out if there is only one. */
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
   * Tells what would become of a request, and does none of it: no handler runs, nothing is sent, opened or logged; files are looked at. The
   * stage need not be started. `into` is the path or name of the server that gets it, whatever the URL says; else the URL tells. Rejects
   * with HEMI_USAGE for what no client could send, and where several servers could be meant.
   */
  async explain(request: ExplainRequest, { into }: { readonly into?: string } = {}): Promise<Walk> {
    return await explainAmong(this.offering(explainable), request, into);
  }
}
