// Unknown props: the component does not have them, no descendant inherits them, and no reference reads them.

import type { ComponentSpec, SourceSpan } from "../../config/spec.ts";
import type { Definition } from "../definition.ts";
import type { Kind } from "../kind.ts";
import { didYouMean } from "../did-you-mean.ts";
import { describePlace } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import { schemaOf } from "./schema.ts";
import type { Values } from "./values.ts";

export interface UnknownPropsScope {
  /** All that the stage may use. */
  readonly definitions: readonly Definition[];
  /** Props of other servers, with what does the same here. */
  readonly foreignNames: ReadonlyMap<string, string>;
  readonly values: Values;
  readonly problems: Problems;
}

/** To be called when everything is read: only then it is known what references read. */
export function checkUnknownProps(stage: Place, scope: UnknownPropsScope): void {
  const { problems, foreignNames } = scope;
  const { referred } = scope.values;
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
          heirsOf(prop.name, place, scope.definitions) ??
          foreignNames.get(prop.name) ??
          didYouMean(prop.name, [...Object.keys(place.definition?.props ?? {}), ...inherited], (name) => `.${name}`),
      });
    }
    place.children.forEach(check);
  };
  check(stage);
}

/** Who would inherit the prop if one of them stood inside: `toBackend` says nothing in a webapp without a proxy. */
function heirsOf(name: string, place: Place, definitions: readonly Definition[]): string | undefined {
  const owner = place.owner === undefined ? "stage" : place.definition?.kind.name;
  const heirs = definitions.filter(
    ({ kind, props = {} }) =>
      Object.hasOwn(props, name) && props[name]?.inherited === true && mayStandIn(kind, owner, definitions),
  );
  const [first, ...others] = heirs.slice(0, 3).map(({ sign }) => sign);
  if (first === undefined) return undefined;
  return `it is for those inside that inherit it, and there is none: ${[first, ...others].join(", ")}`;
}

/** Whether components of the kind may stand in those of the other, directly or not. */
function mayStandIn({ standsIn }: Kind, owner: string | undefined, definitions: readonly Definition[]): boolean {
  return standsIn.some(
    (standing) =>
      standing.owner === owner ||
      (standing.owner !== "stage" &&
        definitions.some(({ kind }) => kind.name === standing.owner && mayStandIn(kind, owner, definitions))),
  );
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
function mentions({ source: { text = "" }, start, end }: SourceSpan, name: string): boolean {
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
