// Reads the props of one component: what is set, inherited, or by default, by the types of its schema.

import type { Definition } from "../definition.ts";
import type { PropReader } from "../props/prop-type.ts";
import type { ComponentReferences } from "./component-references.ts";
import { describePlace, findSet, hasUnread, mayLackStatements } from "./place.ts";
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

export interface ReadProps {
  /** A value for each prop of the schema, `undefined` where it is wrong, or not set and without default. */
  readonly props: Readonly<Record<string, unknown>>;
  /** Whether each is right by itself. One that is inherited may be wrong here without a problem that is new. */
  readonly areRight: boolean;
}

/** What is wrong is reported, once. */
export function readProps(place: Place, definition: Definition, scope: PropScope): ReadProps {
  const { problems, references, values } = scope;
  const props: Record<string, unknown> = {};
  let areRight = true;
  // What is being read, and who has set it.
  let current = "";
  let setter = place;
  const reader: PropReader = {
    path: place.path,
    baseDir: scope.baseDir,
    constants: values.constants,
    variables: definition.kind.variables,
    report: (mistake) => problems.add(setter, { ...mistake, message: `${describePlace(setter)}: ${mistake.message}` }),
    warn: (mistake) => problems.doubt(setter, { ...mistake, message: `${describePlace(setter)}: ${mistake.message}` }),
    refer: (wanted, name, label, span) =>
      references.find(wanted, { name, span, label, holder: place, setter, prop: current }),
  };
  for (const [name, prop] of schemaOf(definition).props) {
    const found = findSet(place, name, prop);
    current = name;
    setter = found?.setter ?? place;
    const value = found === undefined ? prop.default : values.ofProp(found.spec, found.setter);
    // A value that could not be worked out has been reported.
    props[name] = value && prop.type.read(value, `.${name}`, reader);
    if (props[name] === undefined && (found !== undefined || value !== undefined || prop.required)) areRight = false;
    if (found !== undefined || value !== undefined || !prop.required) continue;
    if (prop.inherited ? mayLackStatements(place) : hasUnread(place, "body")) continue;
    const message = `${describePlace(place)} needs .${name}, ${prop.type.takes}`;
    problems.add(place, { code: "HEMI_CONFIG_MISSING_PROP", span: place.spec.signSpan, message });
  }
  return { props, areRight };
}
