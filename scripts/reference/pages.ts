// The reference pages, in Markdown: an index, one page for each component, and two on what their props and conditions
// are made of.

import { compareOperators, fileTestOperators, presenceOperators } from "../../packages/internal/src/config/spec.ts";
import { prop as propTypes, webVariables, type Kind, type Prop } from "../../packages/internal/src/index.ts";
import type { Docstrings, PropDocs, PropsDocs } from "./docstrings.ts";
import { componentsWithin, kindsIn, type DeclaredComponent, type Engine } from "./engine.ts";
import { configText } from "./values.ts";

const note = "<!-- Written by scripts/reference.mjs from the docstrings in the sources: change them, and run it. -->";

/** File names with their texts. */
export function referencePages(engine: Engine, docs: Docstrings): ReadonlyMap<string, string> {
  const pages = new Map([
    ["README.md", indexPage(engine, docs)],
    ["types.md", typesPage(docs)],
    ["conditions.md", conditionsPage(docs)],
  ]);
  for (const component of engine.components) {
    pages.set(`${component.definition.sign}.md`, componentPage(component, engine, docs));
  }
  return pages;
}

function indexPage(engine: Engine, docs: Docstrings): string {
  const rows = engine.kinds.map((kind) =>
    row([`\`${kind.name}\``, String(kind.rank), standingOf(kind), docs.kind(kind.name)]),
  );
  const sections = engine.kinds.flatMap((kind) => {
    const components = engine.components.filter(({ definition }) => definition.kind === kind);
    if (components.length === 0) return [];
    return [
      `### ${capital(kind.name)}s`,
      table(
        ["sign", "package", "what it does"],
        components.map((component) => [
          link(component.definition.sign),
          `\`${component.packageName}\``,
          firstSentence(docs.component(component).text),
        ]),
      ),
    ];
  });
  return page(
    "# Reference",
    "Every component, with all of its props. [Types of props](types.md) says how values are written, [Conditions](conditions.md) what rules and cases can ask.",
    "The same as a JSON Schema, for configurations in their TypeScript form: [hemi.schema.json](../hemi.schema.json); installed, it is `@hemi/hemi/hemi.schema.json`.",
    "## Components",
    ...sections,
    "## Kinds",
    "A kind says where its components may stand, and when they are prepared: those of the lowest rank first.",
    ["| kind | rank | stands in | what it is |", "| --- | --- | --- | --- |", ...rows].join("\n"),
  );
}

function componentPage(component: DeclaredComponent, engine: Engine, docs: Docstrings): string {
  const { definition, packageName } = component;
  const { sign, aliases = [], kind, props: schema = {} } = definition;
  const { text, props } = docs.component(component);
  const facts = [
    `${capital(article(kind.name))}, in \`${packageName}\`.`,
    `Stands in ${standingOf(kind)}.`,
    ...(kind.once === true
      ? [`A stage has one${kind.always === true ? ", whether it is written there or not" : " at most"}.`]
      : []),
    ...(kind.takesCondition === true ? ["Takes a [condition](conditions.md)."] : []),
    ...(aliases.length > 0 ? [`Older words for it: ${codes(aliases)}.`] : []),
  ];
  const inner = kindsIn(engine, kind.name).map(({ name }) => `${name}s`);
  if (inner.length > 0) facts.push(`In it stand ${inner.join(", ")}.`);
  const names = Object.keys(schema);
  return page(
    `# ${sign}`,
    facts.join(" "),
    text,
    names.length === 0 ? "It has no props." : "## Props",
    names.length === 0 ? "" : overview(schema),
    ...Object.entries(schema).flatMap(([name, prop]) =>
      propSection(
        name,
        prop,
        docs.prop(props, name, `${packageName}: ${sign}`),
        docs,
        `${packageName}: ${sign}.${name}`,
      ),
    ),
    inheritance(kind, schema, engine),
  );
}

function overview(schema: Readonly<Record<string, Prop>>): string {
  return table(
    ["prop", "type", "default", "inherited", "when changed"],
    Object.entries(schema).map(([name, prop]) => [
      `[\`${name}\`](#${name.toLowerCase()})`,
      typeLink(prop),
      defaultOf(prop),
      prop.inherited ? "yes" : "",
      prop.reload === "live" ? "live" : "made anew",
    ]),
  );
}

function propSection(name: string, prop: Prop, { text, fields }: PropDocs, docs: Docstrings, label: string): string[] {
  const facts = [
    `Takes ${takesOf(prop)}.`,
    prop.required ? "Required." : prop.default === undefined ? "No default." : `Default: ${defaultOf(prop)}.`,
    ...(prop.inherited ? ["Inherited."] : []),
    ...(prop.aliases.length > 0 ? [`Older spellings: ${codes(prop.aliases)}.`] : []),
  ];
  return [`### ${name}`, text, `_${facts.join(" ")}_`, fieldsTable(prop.type, fields, docs, label)];
}

/** What the records hold that a prop is, or is a list or dict of. */
function fieldsTable(type: Prop["type"], fieldDocs: PropsDocs, docs: Docstrings, label: string): string {
  const { fields } = type.of ?? type;
  if (fields === undefined) return "";
  return table(
    ["key", "takes", "default", "what it is"],
    Object.entries(fields).map(([name, prop]) => [
      [name, ...prop.aliases].map((key) => `\`"${key}"\``).join(" or "),
      takesOf(prop),
      defaultOf(prop),
      docs.prop(fieldDocs, name, label).text.replaceAll("\n\n", " "),
    ]),
  );
}

/** What may be set on a component for those that stand in it. */
function inheritance(kind: Kind, schema: Readonly<Record<string, Prop>>, engine: Engine): string {
  const readers = new Map<string, string[]>();
  for (const { definition } of componentsWithin(engine, kind.name)) {
    for (const [name, prop] of Object.entries(definition.props ?? {})) {
      if (!prop.inherited || name in schema) continue;
      readers.set(name, [...(readers.get(name) ?? []), definition.sign]);
    }
  }
  if (readers.size === 0) return "";
  const list = [...readers].map(
    ([name, signs]) => `- \`${name}\`, for ${signs.map((sign) => link(sign, `#${name.toLowerCase()}`)).join(", ")}`,
  );
  return `## Set here for what stands inside\n\n${list.join("\n")}`;
}

function typesPage(docs: Docstrings): string {
  const sections = Object.keys(propTypes).flatMap((name) => [`## ${name}`, docs.propType(name)]);
  return page(
    "# Types of props",
    "How the values of props are written in a configuration. In a TypeScript object sizes and durations are numbers (bytes, milliseconds) or the same literals as text, lists are arrays, and dicts are objects.",
    "A prop that is _inherited_ and not set is taken from the nearest enclosing component that sets it. On a reload a prop is either changed in place (_live_), or its component is _made anew_.",
    ...sections,
  );
}

function conditionsPage(docs: Docstrings): string {
  return page(
    "# Conditions",
    "`$variable operator pattern`, where the pattern is a string or a list of strings: any of them; for a negated operator, none. Joined by `&&`, by `||`, which is weaker, by `!( … )` and by parentheses.",
    "## Operators",
    table(
      ["operator", "what stands before it"],
      compareOperators.map((operator) => [`\`${operator}\``, docs.operator(operator)]),
    ),
    "Without a pattern: `$header_x exists`. A field, a parameter or a cookie may be there and empty; any other variable is there unless it is empty.",
    table(
      ["operator", "what stands before it"],
      presenceOperators.map((operator) => [`\`${operator}\``, docs.operator(operator)]),
    ),
    'File tests, in rules, stand behind `$path`, where there is a `webRoot`: `$path -f`. Or they stand before the path of another file, with variables or without: `-f "maintenance.html"`, `-f .webRoot + $path + ".html"`. The value of a variable other than `$path` is one name in it; if it holds a slash, there is nothing. What lies there is',
    table(
      ["operator", "true for"],
      fileTestOperators.map((operator) => [`\`${operator}\``, docs.operator(operator)]),
    ),
    "## Variables in rules",
    "In templates, too. What is absent is an empty text.",
    table(
      ["variable", "what it is"],
      webVariables.names.map((name) => [`\`$${name.endsWith("_") ? `${name}…` : name}\``, docs.variable(name)]),
    ),
  );
}

function standingOf({ standsIn }: Kind): string {
  return standsIn
    .map(({ owner, naming }) => `${owner === "stage" ? "the stage" : article(owner)}, ${namings[naming]}`)
    .join("; or in ");
}

const namings = { required: "with a name", optional: "with or without a name", none: "without a name" };

function takesOf({ type }: Prop): string {
  const { of, takes } = type;
  return of === undefined || of.fields !== undefined
    ? takes
    : `${takes}, each ${type.name === "dict" ? "value" : "item"} ${of.takes}`;
}

function typeLink({ type }: Prop): string {
  return `[${type.name}](types.md#${type.name})`;
}

function defaultOf(prop: Prop): string {
  if (prop.required) return "required";
  return prop.default === undefined ? "" : `\`${configText(prop.default, prop.type)}\``;
}

function link(sign: string, anchor = ""): string {
  return `[\`${sign}\`](${sign}.md${anchor})`;
}

function codes(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

function firstSentence(text: string): string {
  return /^.*?[.:](?=\s|$)/s.exec(text)?.[0].replace(/:$/, ".") ?? text;
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function page(...blocks: readonly string[]): string {
  return `${note}\n\n${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}
