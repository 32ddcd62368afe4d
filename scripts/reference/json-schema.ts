// The JSON Schema of a configuration in its TypeScript form: `{ sign, name?, when?, props?, children? }`.

import { propsJsonSchema } from "../../packages/internal/src/component/props/collections.ts";
import type { JsonSchema } from "../../packages/internal/src/component/props/json-schema.ts";
import type { Kind, Prop, PropsSchema } from "../../packages/internal/src/index.ts";
import type { Docstrings, PropsDocs } from "./docstrings.ts";
import { componentsWithin, kindsIn, type DeclaredComponent, type Engine } from "./engine.ts";
import { plainValue } from "./values.ts";

/**
 * The schema for all that can stand below a stage: one definition for each sign, and one for what may stand in each
 * kind. What only the whole tree tells (whether names that are referred to exist, what `check` of a component says) is
 * left to `hemi check`.
 */
export function configSchema(engine: Engine, docs: Docstrings): JsonSchema {
  const owners = ["stage", ...engine.kinds.map(({ name }) => name)].filter((owner) => canHold(engine, owner));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A configuration of Hemi, in its TypeScript form",
    description:
      "Sizes and durations are numbers (bytes, milliseconds) or literals such as 64K and 30s. What `ref`, `variable`, `constant`, `env` and `join` make has no form in JSON.",
    $ref: "#/$defs/stage",
    $defs: {
      stage: stageSchema(engine, docs),
      ...Object.fromEntries(
        engine.components.map((component) => [component.definition.sign, componentSchema(component, engine, docs)]),
      ),
      ...Object.fromEntries(owners.map((owner) => [childrenName(owner), childrenSchema(owner, engine)])),
      name: { type: "string", pattern: "^[^/\\p{Cc}]+$" },
    },
  };
}

function stageSchema(engine: Engine, docs: Docstrings): JsonSchema {
  return {
    type: "object",
    description: "One running configuration.",
    required: ["sign"],
    properties: {
      sign: { const: "stage" },
      props: { type: "object", properties: inheritedProps("stage", engine, docs), additionalProperties: false },
      children: { $ref: `#/$defs/${childrenName("stage")}` },
    },
    additionalProperties: false,
  };
}

function componentSchema(component: DeclaredComponent, engine: Engine, docs: Docstrings): JsonSchema {
  const { sign, aliases = [], kind, props: schema = {} } = component.definition;
  const { text, props: propsDocs } = docs.component(component);
  const own = propsJsonSchema(schema);
  const properties = { ...inheritedProps(kind.name, engine, docs), ...described(schema, propsDocs) };
  return {
    type: "object",
    description: text,
    required: mustSetProps(schema) ? ["sign", "props"] : ["sign"],
    properties: {
      sign: { enum: [sign, ...aliases] },
      name: { $ref: "#/$defs/name" },
      ...(kind.takesCondition === true && { when: { type: "string", description: "The text of a condition." } }),
      props: { type: "object", ...own, properties, additionalProperties: false },
      ...(canHold(engine, kind.name) && { children: { $ref: `#/$defs/${childrenName(kind.name)}` } }),
    },
    additionalProperties: false,
  };
}

/** Whether a component cannot do without the key `props`. */
function mustSetProps(schema: PropsSchema): boolean {
  return Object.values(schema).some(({ required, inherited }) => required && !inherited);
}

/** What may stand in an owner: the sign picks the definition, so that a mistake is told once and where it is. */
function childrenSchema(owner: string, engine: Engine): JsonSchema {
  const signs: string[] = [];
  const choices: JsonSchema[] = [];
  const onlyOnce: JsonSchema[] = [];
  for (const kind of kindsIn(engine, owner)) {
    for (const { definition } of engine.components) {
      if (definition.kind !== kind) continue;
      const itsSigns = [definition.sign, ...(definition.aliases ?? [])];
      const isIt = { properties: { sign: { enum: itsSigns } } };
      signs.push(...itsSigns);
      choices.push({ if: isIt, then: { $ref: `#/$defs/${definition.sign}`, ...naming(kind, owner) } });
      if (kind.once === true) {
        onlyOnce.push({ contains: { required: ["sign"], ...isIt }, minContains: 0, maxContains: 1 });
      }
    }
  }
  return {
    type: "array",
    items: {
      type: "object",
      required: ["sign"],
      properties: { sign: { enum: signs } },
      ...(choices.length > 0 && { allOf: choices }),
    },
    ...(onlyOnce.length > 0 && { allOf: onlyOnce }),
  };
}

function naming(kind: Kind, owner: string): JsonSchema {
  const standing = kind.standsIn.find((standing) => standing.owner === owner);
  if (standing?.naming === "required") return { required: ["name"] };
  return standing?.naming === "none" ? { properties: { name: false } } : {};
}

/** Whether there is a component that may stand in this one. */
function canHold(engine: Engine, owner: string): boolean {
  return engine.components.some(({ definition: { kind } }) =>
    kind.standsIn.some((standing) => standing.owner === owner),
  );
}

/** What an owner may set for those within it, older spellings included. */
function inheritedProps(owner: string, engine: Engine, docs: Docstrings): Readonly<Record<string, JsonSchema>> {
  const inherited = new Map<string, JsonSchema[]>();
  for (const component of componentsWithin(engine, owner)) {
    const props = Object.entries(component.definition.props ?? {}).filter(([, prop]) => prop.inherited);
    const propsDocs = docs.component(component).props;
    for (const [spelling, schema] of Object.entries(described(Object.fromEntries(props), propsDocs))) {
      // A default is that of the component which reads the prop, not of where it is set.
      const { default: _default, ...rest } = schema;
      const others = inherited.get(spelling) ?? [];
      if (!others.some((other) => withoutText(other) === withoutText(rest))) inherited.set(spelling, [...others, rest]);
    }
  }
  return Object.fromEntries(
    [...inherited].map(([spelling, schemas]) => {
      const [only] = schemas;
      return [spelling, schemas.length === 1 && only !== undefined ? only : { anyOf: schemas }];
    }),
  );
}

function withoutText({ description: _description, ...schema }: JsonSchema): string {
  return JSON.stringify(schema);
}

/** The schemas of props, with what editors show of them. */
function described(schema: Readonly<Record<string, Prop>>, propsDocs: PropsDocs): Readonly<Record<string, JsonSchema>> {
  const properties: Record<string, JsonSchema> = {};
  for (const [name, prop] of Object.entries(schema)) {
    const { default: value, aliases, type } = prop;
    const description = propsDocs.get(name)?.text ?? "";
    properties[name] = {
      ...type.jsonSchema(),
      description,
      ...(value !== undefined && { default: plainValue(value) }),
    };
    for (const alias of aliases) {
      properties[alias] = { ...type.jsonSchema(), description: `An older spelling of ${name}.`, deprecated: true };
    }
  }
  return properties;
}

function childrenName(owner: string): string {
  return `in ${owner}`;
}
