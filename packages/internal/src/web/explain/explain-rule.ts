// Explains what a rule does with a request.

import type { Condition } from "../../component/condition.ts";
import type { Child } from "../../component/context.ts";
import { explainCondition } from "../../component/explain-condition.ts";
import type { Answerer } from "../dispatch/answerers.ts";
import { labelOf } from "../../component/explain-rows.ts";
import type { AskedWalk, Explanation } from "./explanation.ts";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { compileTestedFile, fileTestsIn } from "../conditions/file-test.ts";
import type { ExplainScope, ReviserPart, RuleExplanation } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import { webVariables } from "../conditions/variables.ts";
import { explainPart } from "./explain-webapp.ts";

export interface ExplainedRule {
  readonly condition: Condition | undefined;
  readonly webRoot: string | undefined;
  readonly answer: ((req: Request) => Explanation) | undefined;
  readonly answerers: readonly Answerer[];
  readonly revisers: readonly Child<ReviserPart>[];
}

export async function explainRule(rule: ExplainedRule, req: Request, scope: ExplainScope): Promise<RuleExplanation> {
  const condition = rule.condition && (await explainRuleCondition(rule.condition, rule.webRoot, req, scope));
  if (condition?.holds === false) return { matches: "no", condition };
  const revisers = rule.revisers.map(labelOf);
  const wantsUpgrade = req.upgrades.length > 0;
  const asked = await explainInTurn(
    rule.answerers.filter(({ kind }) => wantsUpgrade || kind === "handlet"),
    req,
    scope,
  );
  const takesUpgrades =
    rule.answerers.some(({ kind }) => kind === "socklet") || asked.some(({ upgrade }) => upgrade !== undefined);
  return {
    matches: "yes",
    ...(condition && { condition }),
    revisers,
    ...(wantsUpgrade && !takesUpgrades && { ignoresUpgrade: true }),
    asked,
    ...(rule.answer && asked.at(-1)?.takes !== "yes" && { answer: rule.answer(req) }),
  };
}

/** The explanations of handlets in order, up to the first that certainly takes the request. */
async function explainInTurn(
  answerers: readonly Answerer[],
  req: Request,
  scope: ExplainScope,
): Promise<readonly AskedWalk[]> {
  const walks: AskedWalk[] = [];
  for (const { kind, child } of answerers) {
    const told = await explainPart(child.part, req, scope);
    walks.push({ component: labelOf(child), kind, ...told });
    if (told.takes === "yes" || req.startsAnew) break;
  }
  return walks;
}

function explainRuleCondition(
  condition: Condition,
  webRoot: string | undefined,
  req: Request,
  { fcache }: ExplainScope,
) {
  return explainCondition(condition, {
    subject: req,
    table: webVariables,
    fileTests: fileTestsIn(webRoot, () => fcache),
    async lookAt(test) {
      const file = compileTestedFile(webRoot, test)(req);
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
