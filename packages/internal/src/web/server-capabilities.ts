// What servers of the web offer to their stage.

import { capability } from "../component/capability.ts";
import type { ExplainRequest, ServerExplanation } from "./explain/explanation.ts";
import type { InjectRequest, InjectResponse } from "./wires/inject-request.ts";

/** Takes requests without a socket. */
export interface Injectable {
  /** Runs a request without a socket. */
  inject(request: InjectRequest): Promise<InjectResponse>;
}

/** Tells what would become of a request. */
export interface Explainable {
  /** Does nothing; the server need not be prepared. Throws HEMI_USAGE for what no client could send. */
  explainRequest(request: ExplainRequest): ServerExplanation;
}

/** For `stage.inject`. */
export const injectable = capability<Injectable>("http-inject");

/** For `stage.explain`. */
export const explainable = capability<Explainable>("http-explain");
