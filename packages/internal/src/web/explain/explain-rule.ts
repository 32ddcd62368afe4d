// What a rule makes of a request, told.

import type { Condition } from "../../component/condition.ts";
import type { Child } from "../../component/context.ts";
import { explainCondition } from "../../component/explain-condition.ts";
import { labelOf, type Explanation, type HandletWalk } from "../../component/explanation.ts";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { fileTestIn, testedFile } from "../file-test.ts";
import type { ExplainScope, HandletPart, ReviserPart, RuleExplanation, SockletPart } from "../kinds.ts";
import type { Request } from "../request.ts";
import { webVariables } from "../variables.ts";
import { explainHandlet } from "./explain-webapp.ts";

export interface ExplainedRule {
  readonly condition: Condition | undefined;
  readonly webRoot: string | undefined;
  readonly answer: ((req: Request) => Explanation) | undefined;
  /** Those that are asked before the handlets: none where the client wants nothing but HTTP. */
  readonly socklets: readonly Child<SockletPart>[];
  readonly handlets: readonly Child<HandletPart>[];
  readonly revisers: readonly Child<ReviserPart>[];
}

export async function explainRule(rule: ExplainedRule, req: Request, scope: ExplainScope): Promise<RuleExplanation> {
  const condition = rule.condition && (await explainRuleCondition(rule.condition, rule.webRoot, req, scope));
  const told = condition === undefined ? {} : { condition };
  if (condition?.holds === false) return { matches: "no", ...told };
  const handlets: HandletWalk[] = rule.socklets.map((socklet) => {
    return { handlet: labelOf(socklet), takes: "maybe", text: "a socklet, would be asked" };
  });
  for (const handlet of rule.handlets) {
    const walk = await explainHandlet(handlet, req, scope);
    handlets.push(walk);
    if (walk.takes === "yes") break;
  }
  return {
    matches: "yes",
    ...told,
    revisers: rule.revisers.map(labelOf),
    ...(rule.answer === undefined ? {} : { answer: rule.answer(req) }),
    handlets,
  };
}

function explainRuleCondition(
  condition: Condition,
  webRoot: string | undefined,
  req: Request,
  { fcache }: ExplainScope,
) {
  const on = { subject: req, table: webVariables };
  if (webRoot === undefined) return explainCondition(condition, on);
  return explainCondition(condition, {
    ...on,
    fileTest: fileTestIn(webRoot, () => fcache),
    async lookAt() {
      const file = testedFile(webRoot, req);
      if (file === undefined) return { found: "no file can have this name" };
      return { file, found: describeEntry(await fcache.open(file)) };
    },
  });
}

function describeEntry(entry: Entry): string {
  switch (entry.kind) {
    case "file":
      return "a file";
    case "directory":
      return "a folder";
    case "missing":
      return "nothing there";
    case "special":
      return "neither file nor folder";
    case "denied":
    case "failed":
      return `cannot be read: ${entry.code}`;
  }
}
