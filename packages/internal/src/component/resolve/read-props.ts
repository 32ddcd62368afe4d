// Reads the props of one component: what is set, inherited, or by default, by the types of its schema.

import type { Definition } from "../definition.ts";
import type { PropReader } from "../props/prop-type.ts";
import type { ComponentReferences } from "./component-references.ts";
import { describePlace, findSet } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import { schemaOf } from "./schema.ts";
import type { Values } from "./values.ts";

export interface PropScope {
  readonly baseDir: string;
  readonly values: Values;
  readonly references: ComponentReferences;
  readonly problems: Problems;
}

/** A value for each prop of the schema. What is wrong is reported, and left `undefined`. */
export function readProps(place: Place, definition: Definition, scope: PropScope): Record<string, unknown> {
  const { problems, references, values } = scope;
  const props: Record<string, unknown> = {};
  // What is being read, and who has set it.
  let current = "";
  let setter = place;
  const reader: PropReader = {
    baseDir: scope.baseDir,
    variables: definition.kind.variables,
    report: (mistake) => problems.add(setter, { ...mistake, message: `${describePlace(setter)}: ${mistake.message}` }),
    refer: (kind, name, label, span) =>
      references.find(kind, { name, span, label, holder: place, setter, prop: current }),
  };
  for (const [name, prop] of schemaOf(definition).props) {
    const found = findSet(place, name, prop);
    current = name;
    setter = found?.setter ?? place;
    const value = found === undefined ? prop.default : values.ofProp(found.spec, found.setter);
    // A value that could not be worked out has been reported.
    props[name] = value && prop.type.read(value, `.${name}`, reader);
    if (found !== undefined || value !== undefined || !prop.required) continue;
    const message = `${describePlace(place)} needs .${name}, ${prop.type.takes}`;
    problems.add(place, { code: "HEMI_CONFIG_MISSING_PROP", span: place.spec.signSpan, message });
  }
  return props;
}

/** Lets the definition look at its props together. Call it only if each is right by itself. */
export function checkTogether(
  place: Place,
  definition: Definition,
  props: Readonly<Record<string, unknown>>,
  problems: Problems,
): void {
  if (definition.check === undefined) return;
  const schema = definition.props ?? {};
  const foundFor = (name: string) => {
    const prop = schema[name];
    return prop && findSet(place, name, prop);
  };
  definition.check({
    props,
    name: place.spec.name ?? "",
    path: place.path,
    isSet: (name) => foundFor(name) !== undefined,
    hasChild: ({ name }) => place.children.some((child) => child.definition?.kind.name === name),
    report: ({ prop, message, hint }) => {
      const span = (prop === undefined ? undefined : foundFor(prop)?.spec.span) ?? place.spec.signSpan;
      problems.add(place, { span, message: `${describePlace(place)}: ${message}`, hint });
    },
  });
}
