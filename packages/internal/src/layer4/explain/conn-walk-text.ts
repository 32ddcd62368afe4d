// The walk of a connection as readable text.

import { conditionRows, describe, placeOf, row, type Row } from "../../component/explain-rows.ts";
import { sectionsText, type WalkTextOptions } from "../../component/explain-text.ts";
import { quote } from "../../config/quote.ts";
import type { CaseWalkStep, ConnOutcome, ConnWalk, RouterWalk } from "./conn-explanation.ts";

/** Ends with a line end. Contains no control characters except those of `paint`. */
export function connWalkText(
  { title, routers, facts = {}, cases, outcome }: ConnWalk,
  options?: WalkTextOptions,
): string {
  const told = Object.entries(facts).map(([name, value]) => row({ subject: `$${name}`, object: quote(value) }));
  const sections = [
    { title: "router", rows: routers.map(routerRow) },
    { title: "connection", rows: told },
    { title: "cases", rows: (cases ?? []).flatMap(caseRows) },
    { title: "outcome", rows: outcomeRows(outcome) },
  ];
  return sectionsText(
    title,
    sections.filter(({ rows }) => rows.length > 0),
    options,
  );
}

function routerRow({ router, listens, isReached, reason }: RouterWalk): Row {
  const verdict = `${isReached ? "yes" : "no"}, ${reason}`;
  const tone = isReached ? "good" : "bad";
  return row({ place: placeOf(router), subject: describe(router), object: listens, verdict, tone });
}

function caseRows({ case: label, matches, condition, asked = [] }: CaseWalkStep): readonly Row[] {
  const tone = ({ yes: "good", no: "bad", "not reached": "dim" } as const)[matches];
  const head = row({ place: placeOf(label), subject: describe(label), verdict: matches, tone });
  if (matches === "not reached") return [head];
  return [
    head,
    ...(condition === undefined
      ? [row({ indent: 1, subject: "no condition", tone: "dim" })]
      : conditionRows(condition, 1)),
    ...asked.flatMap(({ component, takes, text, details = [] }) => [
      row({
        place: placeOf(component),
        indent: 1,
        subject: `dealet ${describe(component)}`,
        object: text,
        verdict: { yes: "takes it", no: "leaves it", maybe: "may take it" }[takes],
        tone: ({ yes: "good", no: "bad", maybe: "plain" } as const)[takes],
      }),
      ...details.map((detail) => row({ indent: 2, object: detail, tone: "dim" })),
    ]),
  ];
}

function outcomeRows(outcome: ConnOutcome): readonly Row[] {
  switch (outcome.type) {
    case "taken": {
      const { by, text } = outcome;
      return [row({ place: placeOf(by), subject: by.path, object: text, tone: "good" })];
    }
    case "open":
      return [
        ...outcome.mayBeBy.map((by) => row({ place: placeOf(by), subject: by.path, object: "if it takes it" })),
        ...outcomeRows(outcome.otherwise).map((each) => ({ ...each, object: `else ${each.object}` })),
      ];
    case "closed":
      return [row({ subject: "none", object: outcome.text, tone: "bad" })];
  }
}
