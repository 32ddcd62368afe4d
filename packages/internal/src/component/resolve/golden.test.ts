// Runs the files in golden/: a configuration, a line of dashes, then the resolved tree or the exact errors.
// With UPDATE_GOLDEN=1 what stands below the dashes is written anew.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { problemsText, sortProblems } from "../../config/config-error.ts";
import { lex } from "../../config/lexer.ts";
import { parseText } from "../../config/parser.ts";
import { capability } from "../capability.ts";
import { isMadeBy } from "../definition.ts";
import { definer } from "../../stage/definer.ts";
import { kind, shape } from "../kind.ts";
import { backendKind } from "../../backend/kind.ts";
import { defineCronjob, cronjobKind } from "../../stage/kinds/cronjob.ts";
import { addonKind, defineAddon } from "../../stage/kinds/addon.ts";
import { defineFixture, fixtureKind } from "../../fixtures/kind.ts";
import { pack } from "../pack.ts";
import type { Part } from "../part.ts";
import { prop } from "../prop.ts";
import { formatAddress } from "../props/addresses.ts";
import { variableTable } from "../variables.ts";
import { plainProps } from "./plain-props.ts";
import { resolve } from "./resolve.ts";
import type { ResolvedComponent } from "./resolved.ts";

const variables = variableTable<object>(
  { method: () => "", path: () => "", hostname: () => "" },
  { header_: () => () => "" },
);
const row = { rank: 4, part: shape<Part>(), owner: shape<Part>(), variables };
const kinds = {
  webapp: kind({ ...row, name: "webapp", standsIn: [{ owner: "stage", naming: "required" }] }),
  rule: kind({
    ...row,
    name: "rule",
    standsIn: [{ owner: "webapp", naming: "optional" }],
    takesCondition: true,
    fileTestsIn: "webRoot",
  }),
  handlet: kind({
    ...row,
    name: "handlet",
    standsIn: [
      { owner: "webapp", naming: "required" },
      { owner: "rule", naming: "optional" },
    ],
  }),
  server: kind({ ...row, name: "server", rank: 5, standsIn: [{ owner: "stage", naming: "required" }] }),
};
const create = () => ({});
const defineHandlet = definer(kinds.handlet);

const webapp = definer(kinds.webapp)({
  sign: "webapp",
  props: {
    hostnames: prop.hostnames({ required: true, min: 1, aliases: ["forHosts"] }),
    webRoot: prop.path({ inherited: true }),
    settings: prop.dict(prop.string(), { default: {} }),
    trusted: prop.addresses({ default: [] }),
  },
  create,
});

const locks = capability<object>("lock-service");

const corePack = pack("@hemi/test", [
  defineFixture({ sign: "clock", props: { tick: prop.duration({ default: "1s", min: 1, max: "1m" }) }, create }),
  definer(backendKind)({
    sign: "http1Backend",
    props: {
      nodes: prop.list(
        prop.record({
          address: prop.address({ required: true }),
          weight: prop.integer({ default: 1, min: 1, max: 100, aliases: ["power"] }),
        }),
        { required: true, min: 1 },
      ),
      balancer: prop.choice(["roundRobin", "leastConns", "random"], { default: "roundRobin" }),
      mirror: prop.reference(backendKind),
    },
    create,
  }),
  webapp,
  definer(kinds.rule)({
    sign: "rule",
    props: { webRoot: prop.path({ inherited: true }), handlets: prop.list(prop.reference(kinds.handlet)) },
    create,
  }),
  defineHandlet({
    sign: "static",
    props: {
      webRoot: prop.path({ inherited: true, required: true }),
      maxAge: prop.duration({ default: 0 }),
      developerMode: prop.bool({ default: false }),
      indexFiles: prop.strings({ default: ["index.html"], max: 3, minLength: 1 }),
    },
    create,
  }),
  defineHandlet({
    sign: "httpProxy",
    aliases: ["http1Proxy"],
    props: {
      toBackend: prop.reference(backendKind, { inherited: true, required: true, aliases: ["backend"] }),
      maxContentSize: prop.size({ default: "1M", max: "1T", inherited: true }),
    },
    check({ props, isSet, report }) {
      if (isSet("maxContentSize") && props.maxContentSize === 0) {
        report({ prop: "maxContentSize", message: ".maxContentSize of 0 lets nothing through", hint: "leave it out" });
      }
    },
    create,
  }),
  // Looks at the webapp that it stands in, and claims a thing that others of its sort may have, too.
  defineHandlet({
    sign: "guest",
    props: { isAlone: prop.bool({ default: false }) },
    check({ props, enclosing, claim, report }) {
      const site = enclosing(webapp);
      if (site?.props.settings.has("guests") === false) report({ message: `${site.path} takes no guests` });
      claim({ what: "the guest room", isShared: !props.isAlone });
    },
    create,
  }),
  defineHandlet({
    sign: "redirect",
    props: { to: prop.template({ required: true }), then: prop.reference(kinds.handlet) },
    create,
  }),
  definer(kinds.server)({
    sign: "testServer",
    props: {
      webapps: prop.list(prop.reference(kinds.webapp), { required: true }),
      address: prop.address({ required: true }),
    },
    check({ props, path, references, claim }) {
      claim({ prop: "address", what: `the address ${formatAddress(props.address)}` });
      const holders = new Map<string, string>();
      for (const referred of references("webapps")) {
        if (!isMadeBy(referred, webapp)) continue;
        for (const hostname of referred.props.hostnames) {
          const holder = holders.get(hostname);
          if (holder === undefined) holders.set(hostname, referred.path);
          else if (holder !== referred.path) {
            referred.report({
              prop: "hostnames",
              message: `${holder} has "${hostname}", too, and ${path} serves both`,
            });
          }
        }
      }
    },
    create,
  }),
  // What offers a capability, and what asks for one.
  defineAddon({ sign: "fileLocks", offers: [locks], create }),
  defineAddon({ sign: "otherLocks", offers: [capability<object>("lock-service"), capability<object>("more")], create }),
  defineAddon({ sign: "plainAddon", create }),
  defineCronjob({
    sign: "lockedJob",
    props: {
      by: prop.reference(addonKind, { offering: locks, required: true }),
      mayUse: prop.reference(addonKind, { offering: capability<object>("sql-database") }),
    },
    create,
  }),
  defineCronjob({ sign: "moduleJob", props: { module: prop.module({ required: true }) }, create }),
]);

const options = {
  kinds: [fixtureKind, addonKind, backendKind, kinds.webapp, kinds.rule, kinds.handlet, kinds.server, cronjobKind],
  packs: [corePack],
  knownPackages: new Map([["favicon", "@hemi/contrib-handlets"]]),
  baseDir: "/base",
  env: { PORT: "3080", LIMIT: "64K", FLAG: "true", NAMES: '("a.example", "b.example")', EMPTY: "", SPEED: "fast" },
};

const folder = join(import.meta.dirname, "golden");

describe("golden", () => {
  test.each(readdirSync(folder))("%s", (name) => {
    const [config = "", expected] = readFileSync(join(folder, name), "utf8").split(/^-{3,}\n/m);
    const actual = resolveText(config);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(join(folder, name), `${config}---\n${actual}`);
    else expect(actual).toBe(expected);
  });
});

describe("a mistake in the syntax", () => {
  const right =
    readFileSync(join(folder, "shop.txt"), "utf8")
      .split(/^-{3,}\n/m)[0]
      ?.replace('"other"', ".root") ?? "";
  const { source, tokens } = lex({ name: "test.conf", text: right });

  test.each(["~", "'a'", ",", "%"])("makes nothing seem wrong that is right: %j in place of each token", (mistake) => {
    const noise = tokens.flatMap(({ start, end }) => {
      const text = source.text.slice(0, start) + mistake + source.text.slice(end);
      const parsed = parseText({ name: "test.conf", text });
      if (parsed.problems.length === 0) return [];
      const { problems } = resolve(parsed, options);
      return problems.length === parsed.problems.length
        ? []
        : [`${text.slice(start - 30, start + 30)}\n${problemsText(problems)}`];
    });
    expect(noise).toEqual([]);
  });
});

function resolveText(text: string): string {
  const resolution = resolve(parseText({ name: "test.conf", text }), options);
  if (resolution.stage === undefined) return `${problemsText(sortProblems(resolution.problems))}\n`;
  return resolution.stage.children.map((child) => show(child, "")).join("");
}

function show(component: ResolvedComponent, indent: string): string {
  const { path, condition, children, references } = component;
  const props = Object.entries(plainProps(component)).map(
    ([name, value]) => `${indent}    .${name} = ${JSON.stringify(value)}\n`,
  );
  return [
    `${indent}${path}${condition === undefined ? "" : ` ${JSON.stringify(condition)}`}\n`,
    ...props,
    ...references.map(({ target }) => `${indent}    → ${target.path}\n`),
    ...children.map((child) => show(child, `${indent}    `)),
  ].join("");
}
