// A capability of routers: `hemi explain` tells what they would do with a connection.

import { capability } from "../../component/capability.ts";
import type { Child } from "../../component/context.ts";
import type { AddressRange } from "../../component/props/addresses.ts";
import type { CasePart } from "../kinds.ts";
import type { ConnProtocol } from "./conn-explanation.ts";

/** What has to be known of a router. */
export interface ExplainedRouter {
  readonly address: AddressRange;
  readonly protocol: ConnProtocol;
  /** Whether it terminates TLS. */
  readonly isTerminating: boolean;
  readonly cases: readonly Child<CasePart>[];
}

/** A router that can be explained. */
export interface ExplainableRouter {
  /** Read when it is explained. */
  readonly explained: ExplainedRouter;
}

/** Tells what it would do with a connection. */
export const explainableRouter = capability<ExplainableRouter>("explainable-router");
