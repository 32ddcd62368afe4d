// Capabilities of web servers for their stage.

import { capability } from "../component/capability.ts";
import type { ExplainRequest, ServerExplanation } from "./explain/explanation.ts";
import type { InjectRequest, InjectResponse } from "./wires/inject-request.ts";

/** Accepts requests without a socket. */
export interface Injectable {
  /** Runs a request without a socket. */
  inject(request: InjectRequest): Promise<InjectResponse>;
}

/** Explains requests. */
export interface Explainable {
  /**
   * Has no side effects; the server need not be prepared. Throws HEMI_USAGE for a request that no client could send.
   */
  explainRequest(request: ExplainRequest): ServerExplanation;
}

/** For `stage.inject`. */
export const injectable = capability<Injectable>("http-inject");

/** For `stage.explain`. */
export const explainable = capability<Explainable>("http-explain");
