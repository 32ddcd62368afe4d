// Explains the walk through the rules of a webapp.

import type { Child } from "../../component/context.ts";
import { labelOf } from "../../component/explain-rows.ts";
import type { Explanation, WalkOutcome, RuleWalk } from "./explanation.ts";
import type { ExplainScope, HandletPart, RulePart, SockletPart, WebappWalk } from "../kinds.ts";
import type { Request } from "../request/request.ts";

/** `unmatched` is the webapp's action if no rule takes the request. */
export async function explainWebapp(
  rules: readonly Child<RulePart>[],
  unmatched: string,
  req: Request,
  scope: ExplainScope,
): Promise<WebappWalk> {
  const walks: RuleWalk[] = [];
  let isTaken = false;
  let anewWith: string | undefined;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i];
    if (rule === undefined) break;
    const told = isTaken ? undefined : await rule.part.explain?.(req, scope);
    const walk = { rule: labelOf(rule), matches: "not reached" as const, ...(anewWith && { anewWith }), ...told };
    anewWith = undefined;
    if (answerersIn(walk).some(({ takes }) => takes === "yes")) isTaken = true;
    walks.push(walk);
    if (isTaken || !req.takeNewStart()) continue;
    anewWith = req.uri;
    i = -1;
  }
  return { rules: walks, outcome: outcomeOf(walks, { type: "refused", status: 404, text: unmatched }) };
}

/** The explanation of a handlet or socklet, or the information that it has none. */
export async function explainPart(
  part: HandletPart | SockletPart,
  req: Request,
  scope: ExplainScope,
): Promise<Explanation> {
  try {
    return (await part.explain?.(req, scope)) ?? { takes: "maybe", text: "would be asked" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { takes: "maybe", text: `would be asked; its explanation failed: ${reason}` };
  }
}

export function outcomeOf(rules: readonly RuleWalk[], otherwise: WalkOutcome): WalkOutcome {
  const mayBeBy: string[] = [];
  for (const { path, takes, text, status } of rules.flatMap(answerersIn)) {
    if (takes === "maybe") mayBeBy.push(path);
    if (takes !== "yes") continue;
    const answered: WalkOutcome = { type: "answered", by: path, ...(status === undefined ? {} : { status }), text };
    return mayBeBy.length === 0 ? answered : { type: "open", mayBeBy, otherwise: answered };
  }
  return mayBeBy.length === 0 ? otherwise : { type: "open", mayBeBy, otherwise };
}

/** In the order in which they are called. */
function answerersIn({ rule, answer, asked = [] }: RuleWalk): readonly (Explanation & { readonly path: string })[] {
  return [
    ...asked.map((walk) => ({ ...walk, path: walk.component.path })),
    ...(answer === undefined ? [] : [{ ...answer, path: rule.path }]),
  ];
}
