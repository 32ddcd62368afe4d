// reference: a value that names another component.

import { describeKind } from "../kind.ts";
import type { Kind } from "../kind.ts";
import type { Reference } from "../reference.ts";
import { makeProp } from "./prop-type.ts";
import type { AlwaysOptions, MaybeOptions, Prop, PropOptions, PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";

/**
 * The name of a component of a kind, `"shop"`: of a sibling, or of one beside an enclosing component, the nearest first. It must
 * have a lower rank or be a sibling.
 */
export function reference<PartType extends object>(
  kind: Kind<PartType>,
  options: AlwaysOptions<string>,
): Prop<Reference<PartType>, string, true>;
export function reference<PartType extends object>(
  kind: Kind<PartType>,
  options?: MaybeOptions,
): Prop<Reference<PartType>, string, false>;
export function reference<PartType extends object>(
  kind: Kind<PartType>,
  options?: PropOptions<string>,
): Prop<Reference<PartType>, string> {
  return makeProp(referenceType(kind), options);
}

function referenceType<PartType extends object>(kind: Kind<PartType>): PropType<Reference<PartType>> {
  return {
    name: "reference",
    takes: `the name of ${describeKind(kind)}`,
    read(value, label, reader) {
      if (value.type !== "string") return refuse(this, value, label, reader);
      return reader.refer(kind, value.value, label, value.span);
    },
    // The component that it names is compared on its own; which one that is, follows from the tree.
    plain: ({ name }) => name,
    jsonSchema: () => ({ type: "string", minLength: 1 }),
  };
}
