// Makes the `define…` functions of the kinds in a stage.

import { definerIn } from "../component/definition.ts";
import type { StageScope } from "./context.ts";

/**
 * Makes the `define…` function of a kind, whose components are created with a `Context`:
 *
 *     export const defineHandlet = definer(handletKind);
 */
export const definer = definerIn<StageScope>();
