// Props that nothing knows: not the component, nothing inside that inherits them, no reference.

import type { ComponentSpec, Span } from "../../config/spec.ts";
import { didYouMean } from "../did-you-mean.ts";
import { describePlace } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import { schemaOf } from "./schema.ts";
import type { Values } from "./values.ts";

/** To be called when everything is read: only then it is known what references read. */
export function checkUnknownProps(stage: Place, { referred }: Values, problems: Problems): void {
  const check = (place: Place): void => {
    for (const [name, prop] of place.set) {
      if (referred.has(prop) || Object.hasOwn(place.definition?.props ?? {}, name)) continue;
      const inherited = namesInheritedIn(place);
      if (inherited.has(prop.name)) continue;
      if (prop.value.type === "unread" || mayReadUnread(place.spec, prop.name)) continue;
      // What an unknown component takes is unknown.
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

/** Whether something inside that could not be read may need the prop: a component that is missing, or what mentions its name. */
function mayReadUnread(spec: ComponentSpec, name: string): boolean {
  return (
    spec.unread?.has("body") === true ||
    (spec.condition?.type === "unread" && mentions(spec.condition.span, name)) ||
    spec.props.some(({ value, span }) => value.type === "unread" && mentions(span, name)) ||
    spec.children.some((child) => mayReadUnread(child, name))
  );
}

/** Whether the text has the name with a dot before it. It may be within a string: then one problem less is reported. */
function mentions({ source: { text = "" }, start, end }: Span, name: string): boolean {
  const words = text.slice(start, end).split(/[^.\w]+/);
  return words.some((word) => word.split(".").slice(1).includes(name));
}

/** The names, older ones too, of props that components inside inherit. Those of unknown signs might inherit anything. */
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
