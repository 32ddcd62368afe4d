import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseText } from "../config/parser.ts";
import { testEngine } from "../testing/engine.ts";
import { difference, differenceSteps } from "./difference.ts";
import type { Difference, Pair } from "./difference.ts";
import { resolve } from "./resolve/resolve.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";

const engine = testEngine();

function resolved(text: string, { kinds, corePack } = engine): ResolvedComponent {
  const parsed = parseText({ name: "test.conf", text: `stage { ${text} }` });
  const resolution = resolve(parsed, { kinds, packs: [corePack], env: {} });
  if (resolution.stage === undefined) throw new Error(JSON.stringify(resolution.problems));
  return resolution.stage;
}

/** Without fixtures, by path: those of `after`, or where they differ `before -> after`. */
function shown({ kept, updated, created, dropped, recomposed, relinked }: Difference) {
  const pair = ({ before, after }: Pair) =>
    before.path === after.path ? after.path : `${before.path} -> ${after.path}`;
  return {
    kept: kept.map(pair).filter((path) => !["clock", "fcache", "namer"].includes(path)),
    updated: updated.map(({ changed, ...both }) => `${pair(both)}: ${[...changed].join()}`),
    created: created.map(({ path }) => path),
    dropped: dropped.map(({ path }) => path),
    recomposed: recomposed.map(pair),
    relinked: relinked.map(({ slot, target }) => `${slot.name} -> ${target.path}`),
  };
}

const nothing = { kept: [], updated: [], created: [], dropped: [], recomposed: [], relinked: [] };

describe("difference", () => {
  test.each([
    [
      "nothing has changed",
      'webapp "a" { rule {} }',
      'webapp "a" { rule {} }',
      { kept: ["webapp.a", "webapp.a/rule"] },
    ],
    ["a default is written out", 'webapp "a" {}', 'webapp "a" { .port = 0 }', { kept: ["webapp.a"] }],
    [
      "one is added, one removed",
      'webapp "a" {} webapp "b" {}',
      'webapp "b" {} webapp "c" {}',
      { kept: ["webapp.b"], created: ["webapp.c"], dropped: ["webapp.a"] },
    ],
    [
      "a live prop has changed",
      'webapp "a" { rule {} }',
      'webapp "a" { .greeting = "hi" rule { .greeting = "hello" } }',
      { kept: ["webapp.a/rule"], updated: ["webapp.a: greeting"] },
    ],
    [
      "an inherited live prop has changed",
      'webapp "a" { rule {} }',
      '.greeting = "hi" webapp "a" { rule {} }',
      { updated: ["webapp.a: greeting", "webapp.a/rule: greeting"] },
    ],
    [
      "another prop has changed: all that stands in it is made anew with it",
      'webapp "a" { rule { .port = 1 } rule "x" { .port = 2 } }',
      'webapp "a" { .port = 3 rule { .port = 1 } rule "x" { .port = 2 } }',
      {
        created: ["webapp.a", "webapp.a/rule", "webapp.a/rule.x"],
        dropped: ["webapp.a", "webapp.a/rule", "webapp.a/rule.x"],
      },
    ],
    [
      "the entries of a dict have changed places, and what is sent in their order with them",
      'namer { .names = ["a": ("10.0.0.1"), "b": ("10.0.0.2")] }',
      'namer { .names = ["b": ("10.0.0.2"), "a": ("10.0.0.1")] }',
      { created: ["namer"], dropped: ["namer"] },
    ],
    [
      "a live and another prop have changed",
      'webapp "a" {}',
      'webapp "a" { .port = 3 .greeting = "hi" }',
      { created: ["webapp.a"], dropped: ["webapp.a"] },
    ],
    [
      "a condition has changed",
      'webapp "a" { rule "x" {} rule "y" {} }',
      'webapp "a" { rule "x" $path == "/" {} rule "y" {} }',
      {
        kept: ["webapp.a", "webapp.a/rule.y"],
        created: ["webapp.a/rule.x"],
        dropped: ["webapp.a/rule.x"],
        recomposed: ["webapp.a"],
      },
    ],
    [
      "unnamed siblings are paired by content before position",
      'webapp "a" { rule { .port = 1 } rule { .port = 2 } rule { .greeting = "x" } }',
      'webapp "a" { rule { .port = 2 } rule { .greeting = "y" } rule { .port = 1 } }',
      {
        kept: ["webapp.a", "webapp.a/rule.2 -> webapp.a/rule.1", "webapp.a/rule.1 -> webapp.a/rule.3"],
        updated: ["webapp.a/rule.3 -> webapp.a/rule.2: greeting"],
        recomposed: ["webapp.a"],
      },
    ],
    [
      "an unnamed one is put before others",
      'webapp "a" { rule { .port = 1 } rule { .port = 2 } }',
      'webapp "a" { rule { .port = 3 } rule { .port = 1 } rule { .port = 2 } }',
      {
        kept: ["webapp.a", "webapp.a/rule.1 -> webapp.a/rule.2", "webapp.a/rule.2 -> webapp.a/rule.3"],
        created: ["webapp.a/rule.1"],
        recomposed: ["webapp.a"],
      },
    ],
    [
      "named ones have changed places: their owner composes them anew",
      'webapp "a" { rule "x" {} rule "y" {} }',
      'webapp "a" { rule "y" {} rule "x" {} }',
      { kept: ["webapp.a", "webapp.a/rule.y", "webapp.a/rule.x"], recomposed: ["webapp.a"] },
    ],
    [
      "what is referred to is made anew: those who refer to it live on",
      'testBackend "b" {} testServer "s" { .webapps = ("a", "c") } webapp "a" { .peer = "b" } webapp "c" { .peer = "b" }',
      'testBackend "b" { .port = 1 } testServer "s" { .webapps = ("a", "c") } webapp "a" { .peer = "b" } webapp "c" { .port = 7 .peer = "b" }',
      {
        kept: ["testServer.s", "webapp.a"],
        created: ["testBackend.b", "webapp.c"],
        dropped: ["testBackend.b", "webapp.c"],
        relinked: ["c -> webapp.c", "b -> testBackend.b"],
      },
    ],
    [
      "the same name means another component",
      'webapp "w" { rule "x" { .peer = "y" } rule "y" { .port = 1 } }',
      'webapp "w" { rule "x" { .peer = "y" } rule "y" { .port = 2 } }',
      {
        kept: ["webapp.w", "webapp.w/rule.x"],
        created: ["webapp.w/rule.y"],
        dropped: ["webapp.w/rule.y"],
        recomposed: ["webapp.w"],
        relinked: ["y -> webapp.w/rule.y"],
      },
    ],
    [
      "it refers to another one",
      'testBackend "a" {} testBackend "b" {} webapp "w" { .peer = "a" }',
      'testBackend "a" {} testBackend "b" {} webapp "w" { .peer = "b" }',
      { kept: ["testBackend.a", "testBackend.b"], created: ["webapp.w"], dropped: ["webapp.w"] },
    ],
  ])("%s", (_, before, after, expected) => {
    expect(shown(difference(resolved(before), resolved(after)))).toEqual({ ...nothing, ...expected });
  });

  test("another definition of the same sign is another component", () => {
    const found = shown(difference(resolved('webapp "a" {}'), resolved('webapp "a" {}', testEngine())));
    expect(found).toMatchObject({ created: ["webapp.a"], dropped: ["webapp.a"] });
  });
});

describe("difference of any two configurations", () => {
  const rule = fc
    .record({
      name: fc.constantFrom("", ' "x"', ' "y"'),
      props: fc.constantFrom("", ".port = 1", ".port = 2", '.greeting = "a"', '.greeting = "b"'),
      condition: fc.constantFrom("", ' $path == "/"'),
    })
    .map(({ name, props, condition }) => ({ name, text: `rule${name}${condition} { ${props} }` }));
  const rules = fc
    .array(rule, { maxLength: 5 })
    .map((all) => all.filter(({ name }, index) => name === "" || all.findIndex((one) => one.name === name) === index));
  const webapp = fc
    .record({ rules, props: fc.constantFrom("", ".port = 1", '.greeting = "a"', '.peer = "api"') })
    .map(({ rules, props }) => `{ ${props} ${rules.map(({ text }) => text).join(" ")} }`);
  const configuration = fc
    .record({ a: fc.option(webapp), b: fc.option(webapp), api: fc.constantFrom("", ".port = 1", '.greeting = "a"') })
    .map(({ a, b, api }) => `testBackend "api" { ${api} } ${a ? `webapp "a" ${a}` : ""} ${b ? `webapp "b" ${b}` : ""}`);

  const all = (component: ResolvedComponent): ResolvedComponent[] =>
    component.children.flatMap((child) => [child, ...all(child)]);
  const sorted = (components: readonly ResolvedComponent[]) => components.map(({ path }) => path).sort();

  test("accounts for each component once, on both sides", () => {
    fc.assert(
      fc.property(configuration, configuration, (one, other) => {
        const [before, after] = [resolved(one), resolved(other)];
        const { kept, updated, created, dropped } = difference(before, after);
        const living = [...kept, ...updated];
        expect(sorted([...living.map((pair) => pair.before), ...dropped])).toEqual(sorted(all(before)));
        expect(sorted([...living.map((pair) => pair.after), ...created])).toEqual(sorted(all(after)));
      }),
    );
  });

  test("is nothing between equal ones, and the other way round backwards", () => {
    fc.assert(
      fc.property(configuration, configuration, (one, other) => {
        const same = difference(resolved(one), resolved(one));
        expect([same.updated, same.created, same.dropped, same.recomposed, same.relinked]).toEqual([
          [],
          [],
          [],
          [],
          [],
        ]);
        const [before, after] = [resolved(one), resolved(other)];
        const [there, back] = [difference(before, after), difference(after, before)];
        expect(sorted(there.created)).toEqual(sorted(back.dropped));
        expect(sorted(there.dropped)).toEqual(sorted(back.created));
        expect(there.relinked.length).toBe(back.relinked.length);
      }),
    );
  });

  test("no part outlives its owner, and every one whose children changed is told", () => {
    fc.assert(
      fc.property(configuration, configuration, (one, other) => {
        const [before, after] = [resolved(one), resolved(other)];
        const { kept, updated, dropped, recomposed } = difference(before, after);
        const goes = new Set(dropped);
        for (const component of dropped) for (const child of component.children) expect(goes).toContain(child);
        const survivor = new Map([...kept, ...updated].map((pair) => [pair.after, pair.before]));
        for (const pair of [...kept, ...updated]) {
          const isSame =
            pair.before.children.length === pair.after.children.length &&
            pair.after.children.every((child, index) => survivor.get(child) === pair.before.children[index]);
          expect(recomposed.some(({ after }) => after === pair.after)).toBe(!isSame);
        }
      }),
    );
  });
});

describe("difference of many siblings", () => {
  const rules = (count: number, changed?: number) =>
    Array.from({ length: count }, (_, i) => `rule { .port = ${i === changed ? count : i} }`).join(" ");

  test("keeps all but the changed one, in their places", () => {
    const [before, after] = [resolved(`webapp "a" { ${rules(50)} }`), resolved(`webapp "a" { ${rules(50, 20)} }`)];
    const { kept, created, dropped } = shown(difference(before, after));
    expect([kept.length, created, dropped]).toEqual([50, ["webapp.a/rule.21"], ["webapp.a/rule.21"]]);
  });

  test("keeps as many equal ones as there were, and follows the order of the others", () => {
    const before = resolved('webapp "a" { rule {} rule { .port = 1 } rule {} }');
    const after = resolved('webapp "a" { rule { .port = 1 } rule {} rule {} rule {} }');
    expect(shown(difference(before, after))).toMatchObject({
      created: [expect.stringMatching(/^webapp\.a\/rule\.[234]$/)],
      dropped: [],
      recomposed: ["webapp.a"],
    });
  });

  test("may be interrupted at each of them", () => {
    const [before, after] = [resolved(`webapp "a" { ${rules(50)} }`), resolved(`webapp "a" { ${rules(50, 20)} }`)];
    expect([...differenceSteps(before, after)].length).toBeGreaterThanOrEqual(50);
  });
});
