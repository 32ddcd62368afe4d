import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parseText } from "../../packages/internal/src/config/parser.ts";
import type { ComponentSpec, ValueSpec } from "../../packages/internal/src/config/spec.ts";
import { defineHandlet, isPack, prop, type ConfigObject, type ConfigValue } from "../../packages/internal/src/index.ts";
import { Docstrings } from "./docstrings.ts";
import { loadEngine, type DeclaredComponent } from "./engine.ts";
import { configSchema } from "./json-schema.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const engine = await loadEngine(root);
const docs = new Docstrings(root, engine);

/** Checks trees against the schema for the published components and those given. */
function validator(own: readonly DeclaredComponent[] = []) {
  const whole = { ...engine, components: [...engine.components, ...own] };
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  return ajv.compile(configSchema(whole, docs));
}

const published = validator();

/** What is wrong with a tree: each place with its reason. */
function mistakesIn(tree: unknown, validate = published): string[] {
  if (validate(tree)) return [];
  const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== "if");
  return errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

/** A configuration file as a tree, with what only a file can say worked out as well as it can be. */
function treeOf({ sign, name, condition, props, children }: ComponentSpec): ConfigObject {
  const when = condition?.span.source.text?.slice(condition.span.start, condition.span.end);
  return {
    sign,
    ...(name !== undefined && { name }),
    ...(when !== undefined && { when }),
    ...(props.length > 0 && { props: Object.fromEntries(props.map(({ name, value }) => [name, plain(value)])) }),
    ...(children.length > 0 && { children: children.map(treeOf) }),
  };
}

function plain(value: ValueSpec): ConfigValue {
  switch (value.type) {
    case "list":
      return value.items.map(plain);
    case "dict":
      return Object.fromEntries(value.entries.map(({ key, value }) => [key, plain(value)]));
    case "constant":
      return `/${value.name}`;
    case "env":
      // In a typed prop it is read with the grammar of that type: here, digits are an integer.
      return /^\d+$/.test(value.fallback ?? "") ? Number(value.fallback) : (value.fallback ?? "0");
    case "variable":
    case "reference":
      return `$${value.name}`;
    case "concat":
      return value.parts.map((part) => String(plain(part) as string | number)).join("");
    case "unread":
      throw new Error("it was not read");
    default:
      return value.value;
  }
}

// The first file of a program loads its packs.
describe("the schema takes", { timeout: 60_000 }, () => {
  const files = globSync(["examples/*/*.conf", "packages/*/conf/*.conf"], { cwd: root });
  test.each(files.filter((file) => !file.includes("/nginx")))("%s", async (file) => {
    const { spec } = parseText({ name: file, text: readFileSync(join(root, file), "utf8") });
    const validate = await validatorFor(dirname(file));
    expect(mistakesIn(spec && treeOf(spec), validate)).toEqual([]);
  });

  /** By programs: compiling the schema takes half a second. */
  const validators = new Map<string, typeof published>();

  async function validatorFor(folder: string): Promise<typeof published> {
    const program = folder.startsWith("examples/") ? folder : "packages";
    const known = validators.get(program);
    if (known !== undefined) return known;
    const own = await ownComponents(folder);
    const validate = own.length === 0 ? published : validator(own);
    validators.set(program, validate);
    return validate;
  }

  /** What the packs of a program bring along: those of an example, and those of the private packages. */
  async function ownComponents(folder: string): Promise<readonly DeclaredComponent[]> {
    const packFiles = folder.startsWith("examples/")
      ? [`${folder}/${basename(folder)}.ts`, `${folder}/app.ts`]
      : ["packages/develop/src/pack.ts", "packages/bench/src/servers/*-pack.ts"];
    const components: DeclaredComponent[] = [];
    for (const file of globSync(packFiles, { cwd: root })) {
      const { default: pack } = (await import(pathToFileURL(join(root, file)).href)) as { readonly default?: unknown };
      if (!isPack(pack)) continue;
      components.push(...pack.definitions.map((definition) => ({ definition, packageName: pack.name, folder })));
    }
    return components;
  }

  test("sizes and durations as numbers and as literals, older spellings, and inherited props on any owner", () => {
    const tree = stage(
      { headTimeout: 5000, maxContentSize: "2M" },
      webapp({ webRoot: "web", hostnames: ["*"] }, { sign: "rule", props: { maxContentSize: 10 } }),
      { sign: "httpxServer", name: "main", props: { forApps: ["shop"], address: ":3080", headTimeout: "5s" } },
    );
    expect(mistakesIn(tree)).toEqual([]);
  });

  test("records and dicts of them", () => {
    const pools = defineHandlet({
      sign: "pools",
      props: {
        pools: prop.dict(prop.record({ size: prop.size({ required: true }), weight: prop.integer({ default: 1 }) })),
      },
      create: () => ({ handle: () => false }),
    });
    const validate = validator([{ definition: pools, packageName: "test", folder: "" }]);
    const inRule = (value: unknown) =>
      stage({}, webapp({ hostnames: ["*"] }, { sign: "rule", children: [{ sign: "pools", props: { pools: value } }] }));
    expect(mistakesIn(inRule({ a: { size: "1K" } }), validate)).toEqual([]);
    expect(mistakesIn(inRule({ a: { weight: 2 } }), validate)).toEqual([
      expect.stringContaining("/pools/a must have required property 'size'"),
    ]);
    expect(mistakesIn(inRule({ a: { size: 1, wieght: 2 } }), validate)).toEqual([expect.stringContaining("wieght")]);
  });
});

describe("the schema refuses", () => {
  const apps = { hostnames: ["*"] };
  test.each<readonly [string, unknown, string]>([
    ["an unknown sign", stage({}, { sign: "webap", name: "a" }), "/children/0/sign must be equal to one of"],
    ["another root", { sign: "webapp" }, "/sign must be equal to constant"],
    ["an unknown prop", stage({}, webapp({ ...apps, hostname: "*" })), "/children/0/props must NOT have additional"],
    ["an unknown key", stage({}, { ...webapp(apps), prop: {} }), "/children/0 must NOT have additional"],
    [
      "a component in the wrong place",
      stage({}, { sign: "static", name: "s" }),
      "/children/0/sign must be equal to one of",
    ],
    ["a missing name", stage({}, { sign: "webapp", props: apps }), "/children/0 must have required property 'name'"],
    ["a missing prop", stage({}, webapp({})), "/children/0/props must have required property 'hostnames'"],
    ["missing props", stage({}, { sign: "webapp", name: "a" }), "/children/0 must have required property 'props'"],
    ["a name for a fixture", stage({}, { sign: "clock", name: "c" }), "/children/0/name boolean schema is false"],
    ["a fixture twice", stage({}, { sign: "clock" }, { sign: "clock" }), "/children must contain"],
    ["a list that is a text", stage({}, webapp({ hostnames: "*" })), "/children/0/props/hostnames must be array"],
    ["an empty list", stage({}, webapp({ hostnames: [] })), "/hostnames must NOT have fewer than 1 items"],
    ["a value out of bounds", stage({}, { sign: "namer", props: { tries: 11 } }), "/props/tries must be <= 10"],
    ["a size as a duration", stage({}, { sign: "namer", props: { timeout: "2M" } }), "/props/timeout must match"],
    [
      "a word that is no choice",
      stage({}, { sign: "namer", props: { families: "ip" } }),
      "/families must be equal to one",
    ],
    [
      "an address without a colon",
      stage({}, server({ webapps: ["a"], address: "3080" })),
      "/address must match pattern",
    ],
    [
      "two spellings at once",
      stage({}, server({ webapps: ["a"], forApps: ["a"], address: ":1" })),
      "/children/0/props must match exactly one",
    ],
    ["a condition on a webapp", stage({}, { ...webapp(apps), when: "$path == '/'" }), "/children/0 must NOT have"],
    [
      "a wrong prop far inside",
      stage({}, webapp(apps, { sign: "rule", children: [{ sign: "static", props: { maxAge: 1.5 } }] })),
      "/children/0/children/0/children/0/props/maxAge must be integer",
    ],
  ])("%s", (_what, tree, mistake) => {
    expect(mistakesIn(tree).join("\n")).toContain(mistake);
  });
});

test("a mistake is told where it is, and not once more for each component that it could have been", () => {
  const tree = stage(
    {},
    webapp({ hostnames: ["*"] }, { sign: "rule", children: [{ sign: "static", props: { maxRanges: -1 } }] }),
  );
  expect(mistakesIn(tree)).toEqual([
    expect.stringMatching(/^\/children\/0\/children\/0\/children\/0\/props\/maxRanges must be >= 0/),
  ]);
});

function stage(props: object, ...children: readonly unknown[]): unknown {
  return { sign: "stage", props, children };
}

function webapp(props: object, ...rules: readonly unknown[]): object {
  return { sign: "webapp", name: "shop", props, ...(rules.length > 0 && { children: rules }) };
}

function server(props: object): object {
  return { sign: "httpxServer", name: "main", props };
}
