import { mkdirSync, mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { defineHandlet } from "../../packages/internal/src/index.ts";
import { Docstrings } from "./docstrings.ts";

/** Only its sign counts: the texts come from the sources. */
const definition = defineHandlet({ sign: "hello", create: () => ({ handle: () => false }) });
const hello = { definition, packageName: "@hemi/contrib-hello", folder: "packages/contrib-hello" };

/** The docstrings in files of one package, by their paths in its `src`. */
function read(files: Readonly<Record<string, string>>): Docstrings {
  using folder = mkdtempDisposableSync(join(tmpdir(), "hemi-docstrings-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder.path, hello.folder, "src", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return new Docstrings(folder.path, { kinds: [], components: [hello] });
}

test("the texts of a component and its props are those directly above them", () => {
  const docs = read({
    "hello.ts": `
      // hello: says hello.

      const props = {
        /**
         * What is said,
         * in two lines.
         *
         *     ["like": "this"]
         */
        text: prop.string({ default: "hello" }),
        // no docstring
        /** How often. */
        times: prop.integer({ default: 1 }),
      } as const;

      /** Says hello. */
      export const hello = defineHandlet({ sign: "hello", props, create: () => ({}) });
    `,
  });
  const { text, props } = docs.component(hello);
  expect(text).toBe("Says hello.");
  expect(docs.prop(props, "text", "hello").text).toBe('What is said, in two lines.\n\n    ["like": "this"]');
  expect(docs.prop(props, "times", "hello").text).toBe("How often.");
  expect(docs.problems).toEqual([]);
});

test("props that a package of ours exports keep their texts", () => {
  const docs = read({
    "../../internal/src/index.ts": 'export { limits as bounds } from "./limits.ts";',
    "../../internal/src/limits.ts": "export const limits = { /** How much. */ size: prop.size() };",
    "hello.ts": `
      import { bounds } from "@hemi/internal";
      /** Says hello. */
      export const hello = defineHandlet({ sign: "hello", props: { ...bounds }, create: () => ({}) });
    `,
  });
  expect(docs.prop(docs.component(hello).props, "size", "hello").text).toBe("How much.");
  expect(docs.problems).toEqual([]);
});

test("props that a room of ours exports with all that is public in it keep their texts", () => {
  const docs = read({
    "../../internal/src/index.ts": 'export * from "./net/public.ts";\nexport * from "./web/public.ts";',
    "../../internal/src/net/public.ts": "export const other = 1;",
    "../../internal/src/web/public.ts": 'export { limits } from "./limits.ts";',
    "../../internal/src/web/limits.ts": "export const limits = { /** How much. */ size: prop.size() };",
    "hello.ts": `
      import { limits } from "@hemi/internal";
      /** Says hello. */
      export const hello = defineHandlet({ sign: "hello", props: { ...limits }, create: () => ({}) });
    `,
  });
  expect(docs.prop(docs.component(hello).props, "size", "hello").text).toBe("How much.");
  expect(docs.problems).toEqual([]);
});

test("props that are spread, shared or imported keep their texts", () => {
  const docs = read({
    "limits/limits.ts": `
      /** How long. */
      const time = prop.duration();
      export const limits = { time, /** How much. */ size: prop.size() };
    `,
    "hello.ts": `
      import { limits as bounds } from "./limits/limits.ts";
      /** Says hello. */
      export const hello = defineHandlet({ sign: "hello", props: { ...bounds, /** What. */ text: prop.string() } });
    `,
  });
  const { props } = docs.component(hello);
  expect([...props].map(([name, { text }]) => [name, text])).toEqual([
    ["time", "How long."],
    ["size", "How much."],
    ["text", "What."],
  ]);
});

test("props that are the rest of others keep their texts", () => {
  const docs = read({
    "hello.ts": `
      const all = { /** How much. */ size: prop.size(), /** Where. */ port: prop.integer() };
      const { port: _, ...others } = all;
      /** Says hello. */
      export const hello = defineHandlet({ sign: "hello", props: { ...others } });
    `,
  });
  expect(docs.prop(docs.component(hello).props, "size", "hello").text).toBe("How much.");
  expect(docs.problems).toEqual([]);
});

test("the keys of records have texts, in lists and dicts too", () => {
  const docs = read({
    "hello.ts": `
      /** One of them. */
      const node = prop.record({ /** Its address. */ address: prop.address(), weight: prop.integer() });
      /** Says hello. */
      export const hello = defineHandlet({ sign: "hello", props: { /** All. */ nodes: prop.list(node, { min: 1 }) } });
    `,
  });
  const { fields } = docs.prop(docs.component(hello).props, "nodes", "hello");
  expect(docs.prop(fields, "address", "hello.nodes").text).toBe("Its address.");
  expect(docs.problems).toEqual([]);
  docs.prop(fields, "weight", "hello.nodes");
  expect(docs.problems).toEqual(["hello.nodes: .weight"]);
});

test("what has no docstring, and a component that is not found, are told once each", () => {
  const docs = read({
    "hello.ts": `export const hello = defineHandlet({ sign: "hello", props: { /* no docstring */ text: prop.string() } });`,
  });
  for (let i = 0; i < 2; i++) docs.prop(docs.component(hello).props, "text", "@hemi/contrib-hello: hello");
  expect(docs.problems).toEqual(["packages/contrib-hello/src/hello.ts: hello", "@hemi/contrib-hello: hello: .text"]);
  const none = read({ "other.ts": "" });
  none.component(hello);
  expect(none.problems).toEqual([expect.stringContaining("packages/contrib-hello/src: the call of define")]);
});

test("schemas that are worked out are a problem, not silence", () => {
  const docs = read({
    "hello.ts": `/** Says. */ export const hello = defineHandlet({ sign: "hello", props: make() });`,
  });
  docs.component(hello);
  expect(docs.problems).toEqual([expect.stringContaining("hello: its props; a const that is an object literal")]);
});
