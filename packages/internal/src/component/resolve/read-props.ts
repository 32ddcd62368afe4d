// Reads the props of one component (set, inherited or default) by the types of its schema.

import type { Definition } from "../definition.ts";
import type { PropReader } from "../props/prop-type.ts";
import type { ComponentReferences } from "./component-references.ts";
import { describePlace, findSet, hasUnread, mayLackStatements } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import { schemaOf } from "./schema.ts";
import type { UnsetProps } from "./unset-props.ts";
import type { Values } from "./values.ts";

export interface PropScope {
  readonly baseDir: string;
  readonly values: Values;
  readonly references: ComponentReferences;
  readonly problems: Problems;
  readonly unset: UnsetProps;
}

export interface ReadProps {
  /** A value for each prop of the schema; `undefined` if it is invalid, or not set and without a default. */
  readonly props: Readonly<Record<string, unknown>>;
  /** Whether each prop is valid individually. An inherited prop may be invalid without a new problem. */
  readonly areRight: boolean;
}

/** Each problem is reported once. */
export function readProps(place: Place, definition: Definition, scope: PropScope): ReadProps {
  const { problems, references, values } = scope;
  let areRight = true;
  const unset = scope.unset.in(place.owner, definition);
  const props = unset.copy();
  // The prop that is being read, the component that sets it, and whether the value is for this component only.
  let current = "";
  let setter = place;
  const reading = { isOwn: false };
  const reader: PropReader = {
    get path() {
      reading.isOwn = true;
      return place.path;
    },
    baseDir: scope.baseDir,
    constants: values.constants,
    variables: definition.kind.variables,
    report(mistake) {
      reading.isOwn = true;
      problems.add(setter, { ...mistake, message: `${describePlace(setter)}: ${mistake.message}` });
    },
    warn(mistake) {
      reading.isOwn = true;
      problems.doubt(setter, { ...mistake, message: `${describePlace(setter)}: ${mistake.message}` });
    },
    refer(wanted, name, label, span) {
      reading.isOwn = true;
      return references.find(wanted, { name, span, label, holder: place, setter, prop: current });
    },
  };
  for (const [name, prop] of schemaOf(definition).props) {
    const isSetHere = place.set.has(name);
    if (!isSetHere && unset.has(name)) continue;
    const found = findSet(place, name, prop);
    current = name;
    setter = found?.setter ?? place;
    reading.isOwn = isSetHere;
    const value = found === undefined ? prop.default : values.ofProp(found.spec, found.setter);
    // If a value could not be resolved, that is already reported.
    props[name] = value && prop.type.read(value, `.${name}`, reader);
    const isWrong = props[name] === undefined && (found !== undefined || value !== undefined || prop.required);
    if (isWrong) areRight = false;
    else if (!reading.isOwn) unset.set(name, props[name]);
    if (found !== undefined || value !== undefined || !prop.required) continue;
    if (prop.inherited ? mayLackStatements(place) : hasUnread(place, "body")) continue;
    const message = `${describePlace(place)} needs .${name}, ${prop.type.takes}`;
    problems.add(place, { code: "HEMI_CONFIG_MISSING_PROP", span: place.spec.signSpan, message });
  }
  return { props, areRight };
}
