// Unknown props: the component does not have them, no descendant inherits them, and no reference reads them.

import type { ComponentSpec, Span } from "../../config/spec.ts";
import { didYouMean } from "../did-you-mean.ts";
import { describePlace } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import { schemaOf } from "./schema.ts";
import type { Values } from "./values.ts";

/** Call this after everything has been read: only then are all references known. */
export function checkUnknownProps(stage: Place, { referred }: Values, problems: Problems): void {
  const check = (place: Place): void => {
    for (const [name, prop] of place.set) {
      if (referred.has(prop) || Object.hasOwn(place.definition?.props ?? {}, name)) continue;
      const inherited = namesInheritedIn(place);
      if (inherited.has(prop.name)) continue;
      if (prop.value.type === "unread" || mayReadUnread(place.spec, prop.name)) continue;
      // The props of an unknown component are unknown.
      if (place.definition === undefined && place.owner !== undefined) continue;
      problems.add(place, {
        code: "HEMI_CONFIG_UNKNOWN_PROP",
        span: prop.nameSpan,
        message: `${describePlace(place)} has no property "${prop.name}"`,
        hint:
          elsewhereOf(place, prop.name) ??
          didYouMean(prop.name, [...Object.keys(place.definition?.props ?? {}), ...inherited], (name) => `.${name}`),
      });
    }
    place.children.forEach(check);
  };
  check(stage);
}

function elsewhereOf({ definition }: Place, name: string): string | undefined {
  const { elsewhere = {} } = definition ?? {};
  return Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined;
}

/** Whether an unreadable part inside may need the prop: a missing component, or a part that mentions its name. */
function mayReadUnread(spec: ComponentSpec, name: string): boolean {
  return (
    spec.unread?.has("body") === true ||
    (spec.condition?.type === "unread" && mentions(spec.condition.span, name)) ||
    spec.props.some(({ value, span }) => value.type === "unread" && mentions(span, name)) ||
    spec.children.some((child) => mayReadUnread(child, name))
  );
}

/** Whether the text contains the name after a dot. It may be inside a string; then one problem fewer is reported. */
function mentions({ source: { text = "" }, start, end }: Span, name: string): boolean {
  const words = text.slice(start, end).split(/[^.\w]+/);
  return words.some((word) => word.split(".").slice(1).includes(name));
}

/** The names, including aliases, of props that descendants inherit. Unknown signs might inherit any prop. */
function namesInheritedIn(place: Place): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (inside: Place): void => {
    for (const [name, { inherited, aliases }] of inside.definition === undefined
      ? []
      : schemaOf(inside.definition).props) {
      if (!inherited) continue;
      names.add(name);
      for (const alias of aliases) names.add(alias);
    }
    inside.children.forEach(add);
  };
  place.children.forEach(add);
  return names;
}
