// A condition whose subject is not completely known yet, such as a connection whose first bytes are still arriving.
//
//  and     no      yes     more         not
//  no      no      no      no           no    yes
//  yes     no      yes     more         yes   no
//  more    no      more    more         more  more       or: likewise, with yes and no swapped (Kleene's logic)

import { HemiError } from "../errors/hemi-error.ts";
import { isNegated, matcher, readerOf, type Condition } from "./condition.ts";
import type { VariableTable } from "./variables.ts";

/** More bytes are needed to decide. */
export const more = Symbol("more");

/** Variables, some of which may need more bytes than have arrived. */
export type PartialVariableTable<Subject> = VariableTable<Subject, string | typeof more>;

/** `more`: the known data does not decide the result; further bytes may. */
export type PartialCondition<Subject> = (subject: Subject) => boolean | typeof more;

/**
 * Compiles a condition. It decides as soon as the known data suffices: a "no" of one operand decides an "and" even if
 * another operand needs more bytes. A result other than `more` never changes when more bytes arrive. Throws a HemiError
 * (HEMI_CONFIG_CONDITION) like `compileCondition`, and for file tests.
 */
export function compilePartialCondition<Subject>(
  condition: Condition,
  table: PartialVariableTable<Subject>,
): PartialCondition<Subject> {
  switch (condition.type) {
    case "and":
      return combine(
        condition.operands.map((operand) => compilePartialCondition(operand, table)),
        false,
      );
    case "or":
      return combine(
        condition.operands.map((operand) => compilePartialCondition(operand, table)),
        true,
      );
    case "not": {
      const operand = compilePartialCondition(condition.operand, table);
      return function not(subject) {
        const answer = operand(subject);
        return answer === more ? more : !answer;
      };
    }
    case "compare": {
      const read = readerOf(condition.variable, table);
      const matches = matcher(condition.operator, condition.patterns);
      const wanted = !isNegated(condition.operator);
      return function compare(subject) {
        const value = read(subject);
        return value === more ? more : matches(value) === wanted;
      };
    }
    case "presence": {
      const read = readerOf(condition.variable, table);
      const wanted = condition.operator === "exists";
      return function isThere(subject) {
        const value = read(subject);
        return value === more ? more : (value !== "") === wanted;
      };
    }
    case "fileTest":
      throw new HemiError("HEMI_CONFIG_CONDITION", `the file test ${condition.operator} has no meaning here`);
  }
}

/** An operand with the result `decisive` decides the whole: `true` for "or", `false` for "and". */
function combine<Subject>(
  operands: readonly PartialCondition<Subject>[],
  decisive: boolean,
): PartialCondition<Subject> {
  return function tryAll(subject) {
    let isOpen = false;
    for (const operand of operands) {
      const answer = operand(subject);
      if (answer === decisive) return decisive;
      if (answer === more) isOpen = true;
    }
    return isOpen ? more : !decisive;
  };
}
