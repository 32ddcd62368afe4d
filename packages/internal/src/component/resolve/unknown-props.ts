// Props that nothing knows: not the component, nothing inside that inherits them, no reference.

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
      // What an unknown component takes is unknown.
      if (place.definition === undefined && place.owner !== undefined) continue;
      problems.add(place, {
        code: "HEMI_CONFIG_UNKNOWN_PROP",
        span: prop.nameSpan,
        message: `${describePlace(place)} has no property "${prop.name}"`,
        hint: didYouMean(
          prop.name,
          [...Object.keys(place.definition?.props ?? {}), ...inherited],
          (name) => `.${name}`,
        ),
      });
    }
    place.children.forEach(check);
  };
  check(stage);
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
