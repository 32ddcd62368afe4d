// What a rule makes of a request, told.

import type { Condition } from "../../component/condition.ts";
import type { Child } from "../../component/context.ts";
import { explainCondition } from "../../component/explain-condition.ts";
import { labelOf, type ComponentLabel, type Explanation } from "./explanation.ts";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { fileTestIn, testedFile } from "../conditions/file-test.ts";
import type { ExplainScope, HandletPart, ReviserPart, RuleExplanation, SockletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import { webVariables } from "../conditions/variables.ts";
import { explainPart } from "./explain-webapp.ts";

export interface ExplainedRule {
  readonly condition: Condition | undefined;
  readonly webRoot: string | undefined;
  readonly answer: ((req: Request) => Explanation) | undefined;
  /** Asked before all others. `undefined`: the client wants nothing but HTTP. */
  readonly socklets: readonly Child<SockletPart>[] | undefined;
  readonly handlets: readonly Child<HandletPart>[];
  readonly revisers: readonly Child<ReviserPart>[];
}

export async function explainRule(rule: ExplainedRule, req: Request, scope: ExplainScope): Promise<RuleExplanation> {
  const condition = rule.condition && (await explainRuleCondition(rule.condition, rule.webRoot, req, scope));
  if (condition?.holds === false) return { matches: "no", condition };
  const revisers = rule.revisers.map(labelOf);
  const socklets =
    rule.socklets &&
    (await explainInTurn(rule.socklets, req, scope)).map(({ label, told }) => ({ socklet: label, ...told }));
  const told = {
    matches: "yes" as const,
    ...(condition && { condition }),
    revisers,
    ...(socklets && { socklets }),
  };
  if (socklets?.at(-1)?.takes === "yes") return told;
  const handlets = await explainInTurn(rule.handlets, req, scope);
  return {
    ...told,
    ...(rule.answer && { answer: rule.answer(req) }),
    handlets: handlets.map(({ label, told }) => ({ handlet: label, ...told })),
  };
}

/** What each says that is asked, up to the first that takes the request in any case. */
async function explainInTurn(
  children: readonly Child<HandletPart | SockletPart>[],
  req: Request,
  scope: ExplainScope,
): Promise<readonly { readonly label: ComponentLabel; readonly told: Explanation }[]> {
  const walks: { label: ComponentLabel; told: Explanation }[] = [];
  for (const child of children) {
    const told = await explainPart(child.part, req, scope);
    walks.push({ label: labelOf(child), told });
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
