import { describe, expect, test } from "vitest";
import { parseText } from "../../config/parser.ts";
import { testEngine } from "../../testing/engine.ts";
import { resolve, resolveSteps, type ResolveOptions } from "./resolve.ts";
import type { ResolvedComponent } from "./resolved.ts";

const { kinds, corePack } = testEngine();
const options: ResolveOptions = { kinds, packs: [corePack], env: {} };

function parsed(text: string) {
  return parseText({ name: "test.conf", text: `stage { ${text} }` });
}

/** The children of the component `webapp "a"`. */
function childrenOf(text: string): readonly ResolvedComponent[] {
  const { stage, problems } = resolve(parsed(text), options);
  if (stage === undefined) throw new Error(JSON.stringify(problems));
  return stage.children.find(({ name }) => name === "a")?.children ?? [];
}

describe("props that components do not set", () => {
  test("are those of the owner, whatever other siblings set", () => {
    const rules = childrenOf('webapp "a" { .greeting = "hi" rule { .greeting = "x" } rule {} rule { .port = 1 } }');
    expect(rules.map(({ props }) => [props["greeting"], props["port"]])).toEqual([
      ["x", 0],
      ["hi", 0],
      ["hi", 1],
    ]);
  });

  test("differ between owners", () => {
    const { stage } = resolve(
      parsed('webapp "a" { .greeting = "hi" rule {} } webapp "b" { .greeting = "hey" rule {} }'),
      options,
    );
    const greetings = stage?.children.flatMap(({ children }) => children.map(({ props }) => props["greeting"]));
    expect(greetings).toEqual(["hi", "hey"]);
  });

  test("are references of each component itself: a reload relinks them one by one", () => {
    const { stage } = resolve(parsed('.peer = "b" testBackend "b" {} webapp "a" {} webapp "c" {}'), options);
    const webapps = stage?.children.filter(({ sign }) => sign === "webapp") ?? [];
    const slots = webapps.flatMap(({ references }) => references.map(({ slot }) => slot));
    expect(slots).toHaveLength(2);
    expect(new Set(slots).size).toBe(2);
    expect(webapps.map(({ props }) => props["peer"])).toEqual(slots);
  });
});

test("resolving may be interrupted at each component", () => {
  const steps = resolveSteps(parsed(`webapp "a" { ${"rule {} ".repeat(50)} }`), options);
  expect([...steps].length).toBeGreaterThanOrEqual(50);
});
