import { describe, expect, test } from "vitest";
import { parseText } from "../config/parser.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Metrics } from "../metrics/metrics.ts";
import { Listeners } from "../net/listener.ts";
import type { Context } from "../stage/context.ts";
import { definer } from "../stage/definer.ts";
import { Fixtures } from "../stage/fixtures.ts";
import { onlyWorker } from "../stage/workers.ts";
import { fixtureKind } from "../fixtures/kind.ts";
import { clock, fcache, namer } from "../fixtures/definitions.ts";
import { Component } from "./component.ts";
import { kind, shape } from "./kind.ts";
import { pack } from "./pack.ts";
import type { Part } from "./part.ts";
import { prop } from "./prop.ts";
import { resolve } from "./resolve/resolve.ts";

interface BoxPart extends Part {
  readonly context: Context;
}

const boxKind = kind({
  name: "box",
  rank: 1,
  standsIn: [
    { owner: "stage", naming: "required" },
    { owner: "box", naming: "optional" },
  ],
  takesCondition: true,
  part: shape<BoxPart>(),
  owner: shape<BoxPart | undefined>(),
});
const noteKind = kind({
  name: "note",
  rank: 0,
  standsIn: [{ owner: "box", naming: "optional" }],
  part: shape<Part>(),
  owner: shape<BoxPart>(),
});
const updates: string[] = [];
const box = definer(boxKind)({
  sign: "box",
  props: { size: prop.integer({ default: 1, reload: "live" }), label: prop.string({ reload: "live" }) },
  create: (context) => ({
    context,
    update(changed) {
      updates.push(`${[...changed].join()} ${context.props.size} ${context.props.label}`);
    },
  }),
});
const note = definer(noteKind)({ sign: "note", create: () => ({}) });

const surroundings = { metrics: new Metrics(), workers: onlyWorker };

function create(text: string): Component {
  const parsed = parseText({ name: "test.conf", text: `stage { ${text} }` });
  const packs = [pack("@hemi/test", [box, note])];
  const { stage } = resolve(parsed, { kinds: [fixtureKind, boxKind, noteKind], packs });
  const [first] = stage?.children ?? [];
  if (first === undefined) throw new Error("nothing to create");
  return new Component(first, undefined, {
    log: openErrorLog({ sink, now: () => 0 }),
    stageScope: { stage: new Fixtures({ clock, fcache, namer }, surroundings), listeners: new Listeners() },
    created: () => undefined,
  });
}

const sink = new MemorySink();

function contextOf(component: Component): Context {
  const [own] = [component].filter(({ kind }) => kind === boxKind).map(({ part }) => part as BoxPart);
  if (own === undefined) throw new TypeError(`${component.path} is no box`);
  return own.context;
}

describe("a component", () => {
  test("knows its props, name, path, owner and children of a kind", () => {
    const outer = create('box "a" { .size = 3 note {} box {} note "x" {} box "b" {} note {} }');
    const context = contextOf(outer);
    expect([context.name, context.path, context.owner]).toEqual(["a", "box.a", undefined]);
    expect(context.props).toEqual({ size: 3, label: undefined });
    expect(context.children(noteKind).map(({ path }) => path)).toEqual([
      "box.a/note.1",
      "box.a/note.x",
      "box.a/note.2",
    ]);
    expect(context.children(boxKind).map(({ part }) => part.context.path)).toEqual(["box.a/box", "box.a/box.b"]);
    expect(context.children(boxKind).map(({ name, sign }) => `${sign} ${name}`)).toEqual(["box ", "box b"]);
    expect(context.children(boxKind)[0]?.part.context.owner).toBe(outer.part);
  });

  test("has a log that carries its path", () => {
    contextOf(create('box "a" {}')).log.info("hello");
    expect(sink.lines.at(-1)).toBe("1970-01-01T00:00:00.000Z info box.a hello\n");
  });

  test("gets changed live props in place before it is told", () => {
    const component = create('box "a" {}');
    const { props } = contextOf(component);
    component.update({ size: 9, label: "x", other: 1 }, new Set(["size", "label"]));
    expect(updates).toEqual(["size,label 9 x"]);
    expect(props).toEqual({ size: 9, label: "x" });
  });

  test("cannot use fixtures before they are created", () => {
    expect(() => contextOf(create('box "a" {}')).stage.clock).toThrow("the clock is not created yet");
  });
});
